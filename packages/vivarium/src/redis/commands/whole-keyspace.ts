import { readInteger } from '../protocol/protocol-error.ts'
import { countKeys, moveKey, pickKey, removeKeys } from './own-scripts.ts'
import { fail, pass, type PlanContext, type Planner, type SendPlan, word } from './plan.ts'
import { strip, stripItems, stripScan } from './reply-keys.ts'

const star: Buffer = Buffer.from('*')

function all(prefix: Buffer): Buffer {
  return Buffer.concat([prefix, star])
}

function run(script: string, keys: readonly Buffer[], args: readonly (Buffer | string)[]): SendPlan {
  return { kind: 'send', request: ['EVAL', script, String(keys.length), ...keys, ...args], keys: [] }
}

/** The number of a database as commands take it, or the server's words for what it is instead. */
export function readDatabase(
  argument: Buffer,
  databases: number,
  malformed = 'ERR value is not an integer or out of range',
): number | string {
  const number = readInteger(argument.toString('latin1'))
  if (number === undefined) return malformed
  return number >= 0 && number < databases ? number : 'ERR DB index is out of range'
}

const flush =
  (pattern: (context: PlanContext) => Buffer | string): Planner =>
  (request, context) => {
    const option = word(request, 1)
    if (request.length > 2 || (request.length === 2 && option !== 'async' && option !== 'sync')) {
      return fail('ERR syntax error')
    }
    return run(removeKeys, [], [pattern(context)])
  }

const scan: Planner = (request, { keyPrefix }) => {
  const changed: (Buffer | string)[] = [...request]
  let hasPattern = false
  for (let at = 2; at + 1 < request.length; at += 2) {
    if (word(request, at) !== 'match') continue
    changed[at + 1] = Buffer.concat([keyPrefix, request[at + 1]!])
    hasPattern = true
  }
  if (!hasPattern) changed.push('MATCH', all(keyPrefix))
  return { kind: 'send', request: changed, keys: [], reply: stripScan(keyPrefix) }
}

const move: Planner = (request, context) => {
  if (request.length !== 3) return pass(request)
  const key = request[1]!
  const target = readDatabase(request[2]!, context.databases)
  if (typeof target === 'string') return fail(target)
  const to = context.keyPrefixOf(target)
  if (to.equals(context.keyPrefix)) return fail('ERR source and destination objects are the same')
  const plan = run(moveKey, [Buffer.concat([context.keyPrefix, key]), Buffer.concat([to, key])], [])
  return { ...plan, keys: [key], writesUnknown: true }
}

const copy: Planner = (request, context) => {
  if (request.length < 3) return pass(request)
  const [name, from, to, ...options] = request as [Buffer, Buffer, Buffer, ...Buffer[]]
  let target = context.keyPrefix
  const kept: Buffer[] = []
  for (let at = 0; at < options.length; at++) {
    if (options[at]!.toString('latin1').toLowerCase() !== 'db' || at + 1 >= options.length) {
      kept.push(options[at]!)
      continue
    }
    const database = readDatabase(options[++at]!, context.databases)
    if (typeof database === 'string') return fail(database)
    target = context.keyPrefixOf(database)
  }
  const renamed = [name, Buffer.concat([context.keyPrefix, from]), Buffer.concat([target, to]), ...kept]
  return { kind: 'send', request: renamed, keys: [from, to], writesUnknown: target !== context.keyPrefix }
}

/** Commands on all keys of a database, or of several. */
export const wholeKeyspace: Readonly<Record<string, Planner>> = {
  flushdb: flush(({ keyPrefix }) => all(keyPrefix)),
  flushall: flush(({ prefix }) => `${prefix}*`),
  dbsize: (request, { keyPrefix }) => (request.length === 1 ? run(countKeys, [], [all(keyPrefix)]) : pass(request)),
  randomkey: (request, { keyPrefix }) => {
    if (request.length !== 1) return pass(request)
    const plan = run(pickKey, [], [all(keyPrefix), String(Math.floor(Math.random() * 2 ** 31))])
    return { ...plan, reply: (reply) => strip(reply, keyPrefix) }
  },
  keys: (request, { keyPrefix }) => {
    if (request.length !== 2) return pass(request)
    const pattern = Buffer.concat([keyPrefix, request[1]!])
    return { kind: 'send', request: [request[0]!, pattern], keys: [], reply: stripItems(keyPrefix) }
  },
  scan,
  move,
  copy,
}
