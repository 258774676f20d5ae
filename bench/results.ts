import { readFile, writeFile } from 'node:fs/promises'
import type { Spread } from './statistics.ts'

/** What a number of the table counts. */
export type Unit = 'times' | 'times faster' | 'per second' | 'ms' | 's' | 'MB'

/** The bound that the design sets. */
export interface Hold {
  comparison: 'at most' | 'at least'
  value: number
}

/** An absolute number beside a ratio, for information: it belongs to the machine it was taken on. */
export interface Absolute {
  what: string
  median: number
  unit: 'µs' | 'ms' | 's' | 'MB' | 'per second'
}

/** One line of the table: either measured, or the reason why it could not be. */
export interface ResultRow {
  id: string
  what: string
  unit: Unit
  hold?: Hold
  measured?: Spread
  absolutes?: Absolute[]
  /** Why there is no `measured`. */
  failure?: string
  /** What a reader has to know to read the number rightly. */
  note?: string
  /** The day it was taken, ISO 8601, where that is not the run's: it was kept from an earlier one. */
  date?: string
}

/** Where the numbers were taken, without naming the machine. */
export interface Environment {
  processor: string
  cores: number
  memoryGb: number
  platform: string
  node: string
  server: string
  pg: string
  pglite: string
  pgTransactionalTests: string
  vitest: string
}

/** Everything that one run of `npm run bench` found. */
export interface BenchResults {
  /** The day of the run, ISO 8601. */
  date: string
  mode: 'full' | 'quick'
  environment: Environment
  rows: ResultRow[]
}

/** Where a run leaves its results. */
const resultsFile: URL = new URL('./results.json', import.meta.url)

/** Reads the results of the last run. Rejects when there are none. */
export async function readResults(): Promise<BenchResults> {
  return JSON.parse(await readFile(resultsFile, 'utf8')) as BenchResults
}

/** Keeps the results of a run. */
export async function writeResults(results: BenchResults): Promise<void> {
  await writeFile(resultsFile, `${JSON.stringify(results, rounded, 2)}\n`)
}

/** Whether a row is inside its bound; `undefined` when it has none or was not measured. */
export function holds(row: ResultRow): boolean | undefined {
  if (row.hold === undefined || row.measured === undefined) return undefined
  const { median } = row.measured
  return row.hold.comparison === 'at most' ? median <= row.hold.value : median >= row.hold.value
}

/** Five significant digits say all that a measurement knows. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value
}
