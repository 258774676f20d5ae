import { readEventFlags, writeEventFlags } from './key-events.ts'
import { answer, ok, pass, type PlanContext, type Planner, refuse, word } from './plan.ts'
import type { Reply } from '../protocol/reply.ts'
import { stripItems } from './reply-keys.ts'

const everyTest = 'it would change the server for every test'
const allTests = 'it shows or touches what other tests do on the server'
const no =
  (why: string): Planner =>
  () =>
    refuse(why)

function changeText(change: (text: string) => string): (reply: Reply) => Reply {
  return (reply) => {
    if ((reply.type !== '$' && reply.type !== '=') || reply.bytes === undefined) return reply
    return { ...reply, bytes: Buffer.from(change(reply.bytes.toString('latin1')), 'latin1') }
  }
}

/** The lines of the connections that belong to the sandbox. */
function onlyOurs({ clientIds }: PlanContext): (reply: Reply) => Reply {
  const ids = clientIds()
  return changeText((text) =>
    text.replaceAll(/^(?:txt:)?id=(\d+) .*\n/gm, (line, id: string) => (ids.has(id) ? line : '')),
  )
}

const tracking: Planner = (request, { keyPrefix }) => {
  const changed: (Buffer | string)[] = [...request]
  let isBroadcast = false
  let hasPrefix = false
  for (let at = 3; at < request.length; at++) {
    const option = word(request, at)
    if (option === 'redirect') return refuse('what is redirected to another connection is not sandboxed')
    if (option === 'bcast') isBroadcast = true
    if (option !== 'prefix' || at + 1 >= request.length) continue
    at++
    changed[at] = Buffer.concat([keyPrefix, request[at]!])
    hasPrefix = true
  }
  if (isBroadcast && !hasPrefix) changed.push('PREFIX', keyPrefix)
  return { kind: 'send', request: changed, keys: [] }
}

/** What a client for a cluster asks first. */
const asCluster: Planner = (request) => ({
  ...pass(request),
  error: (text) =>
    `${text}. Vivarium gives a sandbox a single server: connect to its URL with a client for one (ioredis \`new Redis(url)\`, ` +
    'node-redis `createClient({ url })`), in tests at least',
})

const keyEvents = 'notify-keyspace-events'

const getConfig: Planner = (request, { events }) => ({
  ...pass(request),
  reply: (reply) => {
    const { flags } = events
    if (flags === undefined || !('items' in reply) || reply.items === undefined) return reply
    const value: Reply = { type: '$', bytes: Buffer.from(writeEventFlags(flags)) }
    const items = reply.items.map((item, index) => (textOf(reply.items?.[index - 1]) === keyEvents ? value : item))
    return { ...reply, items }
  },
})

/** Each sandbox has its own notify-keyspace-events: the server tells of more, and what was not asked for is not passed on. */
const setConfig: Planner = (request, { ownsServer, events }) => {
  if (request.length !== 4 || word(request, 2) !== keyEvents) return refuse(everyTest)
  const asked = readEventFlags(request[3]!.toString('latin1'))
  // The server says what is wrong with it, and stays as it is.
  if (asked === undefined) return pass(request)
  const accepted = (): Reply => {
    events.set(asked)
    return ok
  }
  if (ownsServer) {
    const change = ['CONFIG', 'SET', keyEvents, 'KEAmn']
    return { ...pass(request), request: change, reply: (reply) => (reply.type === '+' ? accepted() : reply) }
  }
  return {
    ...pass(request),
    request: ['CONFIG', 'GET', keyEvents],
    reply: (reply) => {
      const value = 'items' in reply ? textOf(reply.items?.[1]) : ''
      const has = readEventFlags(value)
      const lacks = [...asked].filter((letter) => has?.has(letter) !== true)
      return lacks.length === 0
        ? accepted()
        : { type: '-', text: notOurs(`has "${value}" there, without "${lacks.join('')}"`) }
    },
    error: (text) => notOurs(`does not tell what it has there (${text})`),
  }
}

function notOurs(what: string): string {
  return (
    `ERR Vivarium refuses CONFIG SET ${keyEvents} in a sandbox: the server is not ours, is not reconfigured, and ${what}. Set it on the ` +
    `server (CONFIG SET ${keyEvents} KEA), or leave out VIVARIUM_REDIS_URL and \`redis.url\` to have one started.`
  )
}

function textOf(reply: Reply | undefined): string {
  return reply !== undefined && 'bytes' in reply ? (reply.bytes?.toString('latin1') ?? '') : ''
}

/** What concerns the server, or connections to it. A name without its subcommand stands for all that are not listed. */
export const serverWide: Readonly<Record<string, Planner>> = {
  // Their connection carries them out (gateway/virtual-connection.ts) unless they are malformed: then the server says so.
  select: pass,
  swapdb: (request) => (request.length === 3 ? refuse('no sandbox is open') : pass(request)),
  ping: pass,
  echo: pass,
  time: pass,
  lolwut: pass,
  role: pass,
  lastsave: pass,
  command: pass,
  'cluster|slots': asCluster,
  'cluster|shards': asCluster,
  'cluster|nodes': asCluster,
  cluster: pass,
  unwatch: pass,
  readonly: pass,
  readwrite: pass,
  asking: pass,
  wait: (request) => ({ ...pass(request), blocks: true }),
  waitaof: (request) => ({ ...pass(request), blocks: true }),
  // The keys that it counts are all tests'; DBSIZE counts the sandbox's.
  info: (request) => ({ ...pass(request), reply: changeText((text) => text.replaceAll(/^db\d+:.*\r\n/gm, '')) }),

  'client|setname': pass,
  'client|getname': pass,
  'client|id': pass,
  'client|info': pass,
  'client|setinfo': pass,
  'client|no-evict': pass,
  'client|no-touch': pass,
  'client|caching': pass,
  'client|getredir': pass,
  'client|trackinginfo': (request, { keyPrefix }) => ({
    ...pass(request),
    reply: (reply) =>
      'items' in reply && reply.items !== undefined
        ? { ...reply, items: reply.items.map(stripItems(keyPrefix)) }
        : reply,
  }),
  'client|help': pass,
  'client|list': (request, context) => ({ ...pass(request), reply: onlyOurs(context) }),
  'client|tracking': tracking,
  'client|reply': (request) =>
    word(request, 2) === 'on' && request.length === 3
      ? answer(ok)
      : refuse('Vivarium has to see the reply to each command'),
  'client|unblock': (request, { clientIds }) =>
    request.length > 2 && /^\d+$/.test(word(request, 2)) && !clientIds().has(word(request, 2))
      ? answer({ type: ':', text: '0' })
      : pass(request),
  client: no('it reaches the connections of other tests'),

  'config|get': getConfig,
  'config|help': pass,
  'config|set': setConfig,
  config: no(everyTest),
  'acl|whoami': pass,
  'acl|cat': pass,
  'acl|genpass': pass,
  'acl|help': pass,
  acl: no('users belong to the server, which all tests share'),
  'module|list': pass,
  'module|help': pass,
  module: no(everyTest),
  'memory|help': pass,
  memory: no(allTests),
  'latency|help': pass,
  latency: no(allTests),
  'slowlog|help': pass,
  slowlog: no(allTests),
  monitor: no(allTests),
  function: no('libraries belong to the server, which all tests share; EVAL and SCRIPT LOAD work'),
  fcall: no('libraries belong to the server, which all tests share; EVAL and SCRIPT LOAD work'),
  fcall_ro: no('libraries belong to the server, which all tests share; EVAL and SCRIPT LOAD work'),
  debug: no(everyTest),
  shutdown: no(everyTest),
  save: no(everyTest),
  bgsave: no(everyTest),
  bgrewriteaof: no(everyTest),
  replicaof: no(everyTest),
  slaveof: no(everyTest),
  failover: no(everyTest),
  migrate: no('it would move keys to another server under the names they have here'),
  sync: no(allTests),
  psync: no(allTests),
  replconf: no(allTests),
  pfselftest: no(allTests),
  pfdebug: no(allTests),
  'object|help': pass,
  'xinfo|help': pass,
  'xgroup|help': pass,
}

/** Whether a command is about the server or a connection, and needs no sandbox. */
export function isServerWide(name: string): boolean {
  const end = name.indexOf('|')
  return Object.hasOwn(serverWide, name) || (end > 0 && Object.hasOwn(serverWide, name.slice(0, end)))
}

/** Whether a command goes to the server as it is, because it touches nothing that belongs to anybody. */
export function isHarmless(name: string): boolean {
  if (Object.hasOwn(serverWide, name)) return serverWide[name] === pass
  const container = name.slice(0, Math.max(0, name.indexOf('|')))
  return Object.hasOwn(serverWide, container) && serverWide[container] === pass
}
