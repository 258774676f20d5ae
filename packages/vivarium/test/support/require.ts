import { Client } from 'pg'
import { describe, it } from 'vitest'
import { findRedisBinary } from '../../src/redis/server/find-binary.ts'

/** Names that `VIVARIUM_REQUIRE` may hold here: what some tests need and a machine may lack. */
export type OptionalName = 'external-postgres' | 'psql' | 'redis' | 'chromium'

const howToFind: Record<OptionalName, string> = {
  'external-postgres': 'no PostgreSQL answered at VIVARIUM_TEST_POSTGRES_URL, by default 127.0.0.1:5432 as postgres',
  psql: 'no psql was found in PATH',
  redis: 'no redis-server and no valkey-server is on the PATH',
  chromium: 'no Chromium was found',
}

/** Whether `VIVARIUM_REQUIRE` (a comma list) says that `name` must be there. */
export function isRequired(name: OptionalName, list: string | undefined = process.env['VIVARIUM_REQUIRE']): boolean {
  return (list ?? '')
    .split(',')
    .map((item) => item.trim())
    .includes(name)
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
  if (found !== undefined) {
    describe(title, () => {
      body(found)
    })
    return
  }
  if (isRequired(name)) {
    describe(title, () => {
      it(`finds ${name}, which VIVARIUM_REQUIRE names`, () => {
        throw new Error(`${name} was not found: ${howToFind[name]}. VIVARIUM_REQUIRE names it, so this is a failure.`)
      })
    })
    return
  }
  process.stderr.write(`Not run: "${title}": ${howToFind[name]}. VIVARIUM_REQUIRE=${name} makes this a failure.\n`)
  // The one place that may skip: a thing that is really not there. The names stay listed, so that they can be counted.
  // oxlint-disable-next-line vitest/no-disabled-tests
  describe.skip(title, () => {
    body(undefined as T)
  })
}

/** The Redis server installed here, for tests that start one of their own. */
export function installedRedis(): string | undefined {
  try {
    return findRedisBinary()
  } catch {
    return undefined
  }
}
