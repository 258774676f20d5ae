import { openVivarium, type PostgresOptions, type Sandbox, SandboxFailures, type Vivarium } from '../../src/index.ts'
import type { Isolation } from '../../src/core/options.ts'
import { useOpened } from './opened.ts'
import type { PlainServer } from './plain-database.ts'
import { describeServer, migrations } from './plain-server.ts'
import { connect, type ConnectOptions, errorOf, rowsOf, type WireConnection, WireError } from './wire.ts'

/** Opens a vivarium on that schema: embedded, or on the server that VIVARIUM_POSTGRES_URL names. */
export function openTestVivarium(options: PostgresOptions = {}): Promise<Vivarium> {
  return openVivarium({ postgres: { migrations, ...options } })
}

/** The server behind a vivarium, for plain databases beside its own. */
export function plainServerOf(vivarium: TestVivarium): PlainServer {
  const run = vivarium.describe().postgres?.run
  if (run === undefined) throw new Error('the vivarium has no Postgres')
  return describeServer(run.maintenance, run.application)
}

/** The part of a vivarium that tests use. */
export type TestVivarium = Pick<Vivarium, 'postgres' | 'openSandbox' | 'describe'>

/** One vivarium for the test file. What a failed test left open is closed before the next test. */
export function useVivarium(options: PostgresOptions = {}): TestVivarium {
  return useOpened(() => openTestVivarium(options))
}

/** Runs `fn` with a new current sandbox and a connection to it; closes both, and fails if closing does. */
export async function inSandbox<T>(
  vivarium: TestVivarium,
  fn: (connection: WireConnection, sandbox: Sandbox) => Promise<T>,
  options: ConnectOptions & { readonly isolation?: Isolation } = {},
): Promise<T> {
  const sandbox = await vivarium.openSandbox({ title: 'a wire test', isolation: options.isolation })
  let connection: WireConnection | undefined
  try {
    connection = await connect(vivarium.postgres.url, options)
    const result = await fn(connection, sandbox)
    if (!connection.isClosed) await connection.end()
    return result
  } catch (error) {
    // The test's own error is the one to show, not what closing then finds.
    connection?.socket.destroy()
    await sandbox.close().catch(() => undefined)
    throw error
  } finally {
    await sandbox.close()
  }
}

/** Codes of everything that broke at close, in order; empty when nothing did. */
export async function closeCodes(sandbox: Sandbox): Promise<string[]> {
  const error = await closeError(sandbox)
  return error === undefined ? [] : error.errors.map((one) => String((one as { code?: unknown }).code))
}

/** What close rejects with. */
export async function closeError(sandbox: Sandbox): Promise<SandboxFailures | undefined> {
  try {
    await sandbox.close()
    return undefined
  } catch (error) {
    if (error instanceof SandboxFailures) return error
    throw error
  }
}

/**
 * Runs a statement in every database of the run, as the server's own administrator, and returns all rows. One that is
 * dropped just then, in the background, has none.
 */
export async function inEveryClone(vivarium: TestVivarium, text: string): Promise<(string | null)[][]> {
  const runId = vivarium.describe().postgres?.run.runId ?? 'no run'
  const { maintenance } = plainServerOf(vivarium)
  const admin = await connect(maintenance)
  const names = rowsOf(
    await admin.query(`select datname from pg_database where datname like '%\\_${runId}\\_%' order by 1`),
  )
  await admin.end()
  if (names.length === 0) throw new Error(`no database of run ${runId}`)
  const rows: (string | null)[][] = []
  for (const [name] of names) {
    try {
      const clone = await connect({ ...maintenance, database: String(name) })
      rows.push(...rowsOf(await clone.query(text)))
      await clone.end()
    } catch (error) {
      if (!wasDropped(error)) throw error
    }
  }
  return rows
}

function wasDropped(error: unknown): boolean {
  return error instanceof WireError && ['3D000', '57P01'].includes(errorOf(error.arrived)?.['C'] ?? '')
}

/** Everything an error or a rejection says, for a search in it. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : JSON.stringify(error ?? 'no error')
}
