import type { Request } from '../protocol/request-parser.ts'
import { channelCommands } from './channels.ts'
import type { KnownCommand } from './command-index.ts'
import type { CommandFacts } from './command-table.ts'
import { findKeys } from './key-positions.ts'
import { pass, type Plan, type PlanContext, type Planner, refuse } from './plan.ts'
import { type ReplyChange, stripItems, stripStreams } from './reply-keys.ts'
import { scriptCommands } from './scripts.ts'
import { serverWide } from './server-wide.ts'
import { findSortKeys, isSort } from './sort-patterns.ts'
import { wholeKeyspace } from './whole-keyspace.ts'

/** Commands that more is to be done with than to put prefixes to their keys, and all that have none. */
export const planners: Readonly<Record<string, Planner | undefined>> = {
  ...wholeKeyspace,
  ...scriptCommands,
  ...channelCommands,
  ...serverWide,
}

/** Plans a command. One that the server does not know goes to it as it is: it will say so. */
export function planCommand(
  request: Request,
  { name, facts, isContainer }: Pick<KnownCommand, 'name' | 'facts' | 'isContainer'>,
  context: PlanContext,
): Plan {
  const planner = Object.hasOwn(planners, name) ? planners[name] : planners[name.split('|')[0]!]
  // Of a command with subcommands this is none: the server will say so.
  if (facts === undefined || isContainer) return pass(request)
  if (planner !== undefined && (facts.keys.length === 0 || Object.hasOwn(planners, name))) {
    return planner(request, context, facts)
  }
  const isPatterned = isSort(name)
  if (facts.keys.length === 0 || (facts.partial === true && !isPatterned)) {
    return refuse('Vivarium does not know what it touches')
  }
  return planKeys(request, name, facts, context)
}

function planKeys(request: Request, name: string, facts: CommandFacts, { keyPrefix }: PlanContext): Plan {
  const positions = findKeys(request, facts.keys)
  const others = isSort(name) ? findSortKeys(request) : none
  const changed: Buffer[] = [...request]
  const keys: Buffer[] = []
  for (const position of positions) {
    keys.push(request[position]!)
    changed[position] = behind(keyPrefix, request[position]!)
  }
  for (const position of others) changed[position] = Buffer.concat([keyPrefix, request[position]!])
  const named = Object.hasOwn(namedInReply, name) ? namedInReply[name] : undefined
  return {
    kind: 'send',
    request: changed,
    keys,
    ...(named !== undefined && { reply: named(keyPrefix) }),
    ...(facts.blocks === true && { blocks: true }),
    ...(others.length > 0 && { writesUnknown: true }),
  }
}

/** What `Buffer.concat` does, at a third of its price: every key comes here. */
function behind(prefix: Buffer, key: Buffer): Buffer {
  const joined = Buffer.allocUnsafe(prefix.length + key.length)
  joined.set(prefix, 0)
  joined.set(key, prefix.length)
  return joined
}

const none: readonly number[] = []

const first = (prefix: Buffer): ReplyChange => stripItems(prefix, (index) => index === 0)

/** Commands whose reply says which key it is of. */
const namedInReply: Readonly<Record<string, (prefix: Buffer) => ReplyChange>> = {
  blpop: first,
  brpop: first,
  bzpopmin: first,
  bzpopmax: first,
  lmpop: first,
  blmpop: first,
  zmpop: first,
  bzmpop: first,
  xread: stripStreams,
  xreadgroup: stripStreams,
}

/** Whether the replies of a command name keys. */
export function repliesWithNames(name: string): boolean {
  return Object.hasOwn(namedInReply, name)
}
