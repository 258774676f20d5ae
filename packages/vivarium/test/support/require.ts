import { Client } from 'pg'
import { describeOptional } from '../../../../scripts/support/describe-if-found.ts'
import { noRedisFound } from '../../../../scripts/support/find-redis.ts'

export { installedRedis } from '../../../../scripts/support/find-redis.ts'

/** Names that `VIVARIUM_REQUIRE` may hold here: what some tests need and a machine may lack. */
export type OptionalName = 'external-postgres' | 'psql' | 'redis' | 'nats' | 'chromium'

const missing: Record<OptionalName, string> = {
  'external-postgres': 'no PostgreSQL answered at VIVARIUM_TEST_POSTGRES_URL, by default 127.0.0.1:5432 as postgres',
  psql: 'no psql was found in PATH',
  redis: noRedisFound,
  nats: 'no NATS server answered at VIVARIUM_TEST_NATS_URL, by default 127.0.0.1:4222',
  chromium: 'no Chromium was found',
}

/** The URL of an external PostgreSQL that answers, for tests against another server than the embedded one. */
export async function externalPostgresUrl(): Promise<string | undefined> {
  const url = process.env['VIVARIUM_TEST_POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres'
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 3_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('select 1')
    return url
  } catch {
    return undefined
  } finally {
    await client.end().catch(() => undefined)
  }
}

/**
 * A `describe` over something optional. Found: the tests run. Not found: they do not run and the reason is printed,
 * or, where `VIVARIUM_REQUIRE` names it, the suite fails.
 *
 * `const url = await externalPostgresUrl()`, then `describeIfFound('external-postgres', url, 'a title', (url) => …)`.
 */
export function describeIfFound<T>(
  name: OptionalName,
  found: T | undefined,
  title: string,
  body: (found: T) => void,
): void {
  describeOptional({ name, found, missing: missing[name] }, title, body)
}
