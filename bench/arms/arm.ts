import type { DriverName } from './drivers.ts'

/**
 * What the benchmark can ask of an arm. `test` is one whole test: it gets its isolation, inserts a row, selects it, and
 * gives the isolation back. The others are one statement each (`transaction`: one transaction of three statements),
 * inside one isolation that is opened and closed outside the measured time. `pair by …` is the two statements of a test as
 * a client library sends them. `fifty tests`: fifty tests at once, each with a connection of its own; `fifty queries`: one
 * statement on each of fifty connections at once. `statements of one test`: so many inserts in one test, its opening and
 * closing included. `empty test`: a sandbox is opened and closed, and nothing done in it. `get`, `pipeline`: Redis commands, one
 * and a hundred at once, through the gateway or directly; `test with Redis`: a sandbox with one SET and one GET. `row with three parents`, `ten thousand rows`: by a factory
 * or by hand.
 */
export type Operation =
  | 'test'
  | 'select'
  | 'select with a parameter'
  | 'insert'
  | 'insert in a transaction'
  | 'select 1,000 rows'
  | 'transaction'
  | 'test in a database'
  | `pair by ${DriverName}`
  | 'fifty tests'
  | 'fifty queries'
  | 'statements of one test'
  | 'empty test'
  | 'empty test beside components'
  | 'get'
  | 'get directly'
  | 'pipeline'
  | 'pipeline directly'
  | 'test with Redis'
  | 'row with three parents'
  | 'row with three parents by hand'
  | 'ten thousand rows'
  | 'ten thousand rows by hand'

/** Does the operation `count` times and returns the milliseconds that it took. */
export type Measure = (count: number) => Promise<number>

/** What an arm needs to know; plain data, because an arm lives in a process of its own. */
export interface ArmContext {
  /** The server's URL; its role may create databases. Absent for an arm that brings its own server. */
  serverUrl?: string
  /** A database of that server that is this arm's own, made from the bench's migrations. */
  databaseUrl?: string
  /** A database to clone, made from the same migrations. */
  templateDatabase?: string
  /** Another folder of migrations than the bench's own. */
  migrations?: string
  /** What the arm `truncate` sends before each test. @default TRUNCATE of the forty tables */
  truncate?: string
}

/** An arm that is ready to be measured. */
export interface OpenArm {
  readonly measures: Partial<Record<Operation, Measure>>
  /** The plain server behind the arm, where the arm started one. */
  readonly serverUrl?: string
  close(): Promise<void>
}

/** One way to isolate a test, or none. Each arm is one module of this folder. */
export type OpenArmFunction = (context: ArmContext) => Promise<OpenArm>

/** Reads a field of the context that this arm cannot do without. */
export function required(context: ArmContext, field: keyof ArmContext): string {
  const value = context[field]
  if (value === undefined) throw new Error(`This arm needs ${field}, and it was given none`)
  return value
}

/** Does `once` so many times, one after another, and returns the milliseconds that it took. */
export async function timed(count: number, once: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  for (let index = 0; index < count; index++) await once()
  return performance.now() - started
}
