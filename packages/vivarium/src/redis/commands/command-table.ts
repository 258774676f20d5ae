import type { Reply } from '../protocol/reply.ts'

/**
 * Where some of a command's keys stand, as the server tells it (COMMAND, "key specifications"). Positions count the command's
 * own name as 0.
 */
export type KeySpec = readonly [begin: KeysBegin, find: KeysFind]

/** At a position, or behind a keyword that is looked for from a position on (backwards from the end where it is negative). */
type KeysBegin = readonly ['at', position: number] | readonly ['behind', keyword: string, from: number]

/**
 * `to`: up to the last one, counted from the first (from the end where it is negative; `limit` 2 means half of those);
 * `count`: their number stands at an offset, the first one at another.
 */
export type KeysFind =
  | readonly ['to', last: number, step: number, limit: number]
  | readonly ['count', at: number, first: number, step: number]

/** What the server says of a command. Plain data: workers get it from the host. */
export interface CommandFacts {
  readonly writes?: true
  readonly reads?: true
  readonly blocks?: true
  /** No script can call it: the server says so. */
  readonly noScript?: true
  /** There may be keys that `keys` does not tell of. */
  readonly partial?: true
  readonly keys: readonly KeySpec[]
}

/** By name in lower case; of a command with subcommands, each as `name|subcommand`. */
export type CommandTable = Readonly<Record<string, CommandFacts>>

/** Reads the answer to COMMAND of a server of version 7 or later. */
export function readCommandTable(reply: Reply): CommandTable {
  const table: Record<string, CommandFacts> = {}
  const add = (command: Reply): void => {
    const [name, , flags, , , , , , specs, subcommands] = listOf(command)
    const has = new Set(listOf(flags).map(textOf))
    table[textOf(name).toLowerCase()] = {
      ...(has.has('write') && { writes: true }),
      ...(has.has('readonly') && { reads: true }),
      ...(has.has('blocking') && { blocks: true }),
      ...(has.has('noscript') && { noScript: true }),
      ...(listOf(specs).some((spec) => isPartial(fieldsOf(spec))) && { partial: true }),
      keys: listOf(specs).flatMap((spec) => readSpec(fieldsOf(spec))),
    }
    for (const subcommand of listOf(subcommands)) add(subcommand)
  }
  for (const command of listOf(reply)) add(command)
  return table
}

function readSpec(spec: Fields): readonly KeySpec[] {
  const begin = fieldsOf(spec['begin_search'])
  const find = fieldsOf(spec['find_keys'])
  const start = fieldsOf(begin['spec'])
  const where = fieldsOf(find['spec'])
  const number = (of: Fields, name: string): number => Number(textOf(of[name]))
  // 'unknown' ones have no place that could be read from here: SORT's patterns, see sort-patterns.ts.
  const from: KeysBegin | undefined =
    textOf(begin['type']) === 'index'
      ? ['at', number(start, 'index')]
      : textOf(begin['type']) === 'keyword'
        ? ['behind', textOf(start['keyword']).toLowerCase(), number(start, 'startfrom')]
        : undefined
  const to: KeysFind | undefined =
    textOf(find['type']) === 'range'
      ? ['to', number(where, 'lastkey'), number(where, 'keystep'), number(where, 'limit')]
      : textOf(find['type']) === 'keynum'
        ? ['count', number(where, 'keynumidx'), number(where, 'firstkey'), number(where, 'keystep')]
        : undefined
  return from === undefined || to === undefined ? [] : [[from, to]]
}

function isPartial(spec: Fields): boolean {
  return listOf(spec['flags']).map(textOf).includes('incomplete') || readSpec(spec).length === 0
}

type Fields = Readonly<Record<string, Reply>>

function fieldsOf(reply: Reply | undefined): Fields {
  const items = listOf(reply)
  const fields: Record<string, Reply> = {}
  for (let index = 0; index + 1 < items.length; index += 2) fields[textOf(items[index])] = items[index + 1]!
  return fields
}

function listOf(reply: Reply | undefined): readonly Reply[] {
  return reply !== undefined && 'items' in reply ? (reply.items ?? []) : []
}

function textOf(reply: Reply | undefined): string {
  if (reply === undefined) return ''
  if ('text' in reply) return reply.text
  return 'bytes' in reply ? (reply.bytes?.toString() ?? '') : ''
}
