import { countReadyForQuery, query as queryMessage } from '../support/wire.ts'

/** One exchange: bytes written in one piece, and the message after which nothing more is awaited. */
export interface Step {
  readonly send: Buffer
  /** Type byte of the last message to wait for. @default 'Z' */
  readonly until: string
  /** How many of them. @default as many as the bytes ask for */
  readonly count: number
}

/** A difference that is allowed: in this script (or `*`, all), this message, this field, for this reason. */
export interface Exclusion {
  /** A message's type, e.g. `ErrorResponse`. */
  readonly message: string
  /** A field of it, e.g. `L`, `columns.tableOid`. */
  readonly field: string
  readonly why: string
  /** Only where the other side has no such field; another value is still a difference. */
  readonly whenAbsent?: boolean
  /** Only in this step, from 1. */
  readonly step?: number
  /** It differs between any two databases of one server, so with isolation 'database' too. */
  readonly betweenAnyTwo?: boolean
}

/** A conversation that must go the same way through a sandbox as on a plain connection. */
export interface Script {
  readonly name: string
  readonly steps: readonly Step[]
  /** More start-up parameters. */
  readonly startup?: Readonly<Record<string, string>>
  readonly exclude?: readonly Exclusion[]
  /** Kinds of the fidelity warnings that the sandbox must have recorded: a known difference is never silent. */
  readonly warns?: readonly string[]
}

/** What a script's author may write as a step: SQL text is one simple Query. */
export type StepSource = string | Buffer | readonly Buffer[] | Step

/** A step that waits for something else than the usual number of ReadyForQuery. */
export function exchange(send: Buffer | readonly Buffer[], until: string, count = 1): Step {
  return { send: Buffer.isBuffer(send) ? send : Buffer.concat(send), until, count }
}

function toStep(source: StepSource): Step {
  if (typeof source === 'string') return { send: queryMessage(source), until: 'Z', count: 1 }
  if (Buffer.isBuffer(source)) return { send: source, until: 'Z', count: countReadyForQuery(source) }
  if ('send' in source) return source
  return toStep(Buffer.concat(source))
}

/** A script. Every step ends at its last ReadyForQuery unless it says otherwise. */
export function script(name: string, steps: readonly StepSource[], rest: Omit<Script, 'name' | 'steps'> = {}): Script {
  return { name, steps: steps.map(toStep), ...rest }
}

/** Why the OID of a table made inside a script differs between two databases. */
export const newTable: Exclusion = {
  message: 'RowDescription',
  field: 'columns.tableOid',
  why: 'the table is made by the script; OIDs come from one counter of the whole server',
  betweenAnyTwo: true,
}
