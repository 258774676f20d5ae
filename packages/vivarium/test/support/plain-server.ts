import { fileURLToPath } from 'node:url'
import type { ConnectionTarget } from '../../src/postgres/connection/target.ts'
import { parsePostgresUrl } from '../../src/postgres/connection/target.ts'
import { startEmbeddedServer } from '../../src/postgres/server/embedded-server.ts'
import type { PlainServer } from './plain-database.ts'

/** The schema that the wire tests and the differential scripts share. */
export const migrations: string = fileURLToPath(new URL('../differential/migrations', import.meta.url))

/** A server without a vivarium. */
export async function startPlainServer(): Promise<PlainServer & AsyncDisposable> {
  const url = process.env['VIVARIUM_POSTGRES_URL']
  if (url !== undefined) {
    const target = parsePostgresUrl(url)
    return { ...describeServer(target, target), [Symbol.asyncDispose]: async () => undefined }
  }
  const server = await startEmbeddedServer()
  const plain = describeServer(server.maintenance, server.application('postgres'))
  return { ...plain, [Symbol.asyncDispose]: () => server.close() }
}

/** A server's two roles, as the wire client takes them. */
export function describeServer(maintenance: ConnectionTarget, application: ConnectionTarget): PlainServer {
  return {
    maintenance: { ...maintenance, password: maintenance.password ?? '' },
    role: { user: application.user, password: application.password ?? '' },
  }
}
