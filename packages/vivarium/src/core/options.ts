import { VivariumError } from './errors.ts'
import { nearestName } from './nearest-name.ts'

/** How a sandbox keeps its work apart: one rolled-back transaction, or a database of its own. */
export type Isolation = 'transaction' | 'database'

const isolations: readonly string[] = ['transaction', 'database'] satisfies Isolation[]

/** What becomes of a fidelity warning: it is told, or it fails its test as well. */
export type Fidelity = 'warn' | 'fail'

const fidelities: readonly string[] = ['warn', 'fail'] satisfies Fidelity[]

/** Where options came from. */
export interface OptionsContext {
  /** Named in error messages: `vivarium.config.ts`, `openVivarium(options)`. */
  readonly source: string
  /** Relative paths start here. */
  readonly folder: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** The value as an object with named options, or a `CONFIG_INVALID` error that names `path`. */
export function objectAt(value: unknown, path: string, source: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw invalidOption(path, value, 'an object', source)
}

/** The value as a text, `undefined` when it was left out. */
export function textAt(value: unknown, path: string, source: string): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value
  throw invalidOption(path, value, 'a text that is not empty', source)
}

/** The value as a number of milliseconds, `undefined` when it was left out. */
export function millisecondsAt(value: unknown, path: string, source: string): number | undefined {
  if (value === undefined || (typeof value === 'number' && value > 0 && Number.isFinite(value))) return value
  throw invalidOption(path, value, 'a number of milliseconds above 0', source)
}

/** The value as a whole number of at least `least`, `undefined` when it was left out. */
export function countAt(value: unknown, path: string, source: string, least: number): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= least))
    return value as number | undefined
  throw invalidOption(path, value, `a whole number of at least ${least}`, source)
}

/** The value as an isolation, `undefined` when it was left out. */
export function isolationAt(value: unknown, path: string, source: string): Isolation | undefined {
  if (value === undefined || isolations.includes(value as string)) return value as Isolation | undefined
  throw invalidOption(path, value, "'transaction' or 'database'", source)
}

/** The value as what becomes of a fidelity warning, `undefined` when it was left out. */
export function fidelityAt(value: unknown, path: string, source: string): Fidelity | undefined {
  if (value === undefined || fidelities.includes(value as string)) return value as Fidelity | undefined
  throw invalidOption(path, value, "'warn' or 'fail'", source)
}

/** Throws for the first key that is not among `known`, and names the nearest one. */
export function refuseUnknownKeys(value: object, known: readonly string[], path: string, source: string): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue
    const nearest = nearestName(key, known)
    throw new VivariumError('CONFIG_INVALID', {
      what: `Unknown option \`${path === '' ? key : `${path}.${key}`}\` in ${source}.`,
      remedy: `${nearest === undefined ? '' : `Did you mean \`${nearest}\`? `}Known here: ${known.join(', ')}.`,
    })
  }
}

/** A `CONFIG_INVALID` error: which option, what was seen, what is wanted. */
export function invalidOption(path: string, seen: unknown, wanted: string, source: string): VivariumError {
  return new VivariumError('CONFIG_INVALID', {
    what: `${path === '' ? 'The configuration' : `\`${path}\``} in ${source} is not valid.`,
    seen: describe(seen),
    remedy: `Give it ${wanted}.`,
  })
}

function describe(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (value === undefined) return 'nothing'
  return JSON.stringify(value) ?? typeof value
}
