import { planners, repliesWithNames } from './planner.ts'
import type { RawRequest } from '../protocol/raw-request.ts'
import type { CommandFacts, CommandTable } from './command-table.ts'
import { isHarmless, isServerWide } from './server-wide.ts'
import { isSort } from './sort-patterns.ts'

/** What is known of a command, looked up once for each name. */
export interface KnownCommand {
  /** In lower case; with its subcommand, `name|subcommand`. */
  readonly name: string
  /** What the server says of it; `undefined` for one that it does not know. */
  readonly facts: CommandFacts | undefined
  /** It is the name alone of a command with subcommands. */
  readonly isContainer: boolean
  /** It touches nothing that belongs to anybody, and no sandbox has to be open for it. */
  readonly isHarmless: boolean
  /** It is about the server or a connection, and no sandbox has to be open for it. */
  readonly isServerWide: boolean
  /** Where its keys are, when a prefix before each is all that becomes of it, and its reply is the client's as it comes. */
  readonly places: KeyPlaces | undefined
}

/** Keys from a position on, each so many arguments behind the one before; up to the last one, as a key specification counts it. */
type KeyPlaces = readonly (readonly [first: number, last: number, step: number])[]

/** Commands whose replies have to be read to tell what was found. */
export const readWhole: ReadonlySet<string> = new Set(['mget', 'hmget', 'type'])

const containers: ReadonlySet<string> = new Set(
  'acl client cluster command config function latency memory module object pubsub script slowlog xgroup xinfo'.split(
    ' ',
  ),
)

/** Of the names as clients spell them. More than there are commands and ways to write them. */
const mostSpellings = 4096

/** The commands of a server, by their names as clients spell them. */
export class CommandIndex {
  readonly #table: CommandTable
  readonly #bySpelling: Map<string, KnownCommand> = new Map()

  constructor(table: CommandTable) {
    this.#table = table
  }

  /** The command that a request is of. */
  identify(request: RawRequest): KnownCommand {
    const spelling = request.text(0)
    const known = this.#bySpelling.get(spelling) ?? this.#know(spelling)
    if (!known.isContainer || request.count === 1) return known
    // An argument that is no name would only make a name that nothing has.
    if (request.ends[1]! - request.begins[1]! > 16) return known
    const full = `${known.name}|${request.text(1).toLowerCase()}`
    return Object.hasOwn(this.#table, full) ? (this.#bySpelling.get(full) ?? this.#know(full)) : known
  }

  #know(spelling: string): KnownCommand {
    const name = spelling.toLowerCase()
    const facts = Object.hasOwn(this.#table, name) ? this.#table[name] : undefined
    const known: KnownCommand = {
      name,
      facts,
      isContainer: containers.has(name),
      isHarmless: isHarmless(name),
      isServerWide: isServerWide(name),
      places: facts === undefined ? undefined : placesOf(name, facts),
    }
    // What no server knows is not kept: there is no end of it.
    if (facts !== undefined && this.#bySpelling.size < mostSpellings) this.#bySpelling.set(spelling, known)
    return known
  }
}

function placesOf(name: string, { keys, partial, blocks }: CommandFacts): KeyPlaces | undefined {
  const isMore =
    name === 'watch' ||
    readWhole.has(name) ||
    Object.hasOwn(planners, name) ||
    repliesWithNames(name) ||
    isSort(name) ||
    partial === true ||
    blocks === true
  if (isMore || keys.length === 0) return undefined
  const places: (readonly [number, number, number])[] = []
  for (const [where, find] of keys) {
    if (where[0] !== 'at' || find[0] !== 'to' || find[3] > 1) return undefined
    places.push([where[1], find[1], find[2]])
  }
  return places
}

/**
 * Positions of a request's keys, its name being 0, into `found`; `undefined` where they do not ascend. Of a malformed one there are fewer:
 * the server will say so.
 */
export function findPlaces(places: KeyPlaces, count: number, found: number[]): readonly number[] | undefined {
  found.length = 0
  for (const [first, last, step] of places) {
    const end = Math.min(last >= 0 ? first + last : count + last, count - 1)
    if (found.length > 0 && first <= found.at(-1)!) return undefined
    for (let position = first; position <= end; position += step) found.push(position)
  }
  return found
}
