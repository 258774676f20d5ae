/**
 * What notify-keyspace-events says: `K` and `E` are the two channels, the others kinds of events.
 * `A` stands for all kinds but `m` and `n`.
 */
export type EventFlags = ReadonlySet<string>

const all = 'g$lshzxetd'
const others = 'KEmn'

/** Reads a setting; `undefined` for one that a server refuses. */
export function readEventFlags(text: string): EventFlags | undefined {
  const letters = text.replaceAll('A', all).split('')
  return letters.every((letter) => all.includes(letter) || others.includes(letter)) ? new Set(letters) : undefined
}

/** As a server writes it. */
export function writeEventFlags(flags: EventFlags): string {
  const named = all.split('').every((letter) => flags.has(letter))
    ? 'A'
    : `${all}n`
        .split('')
        .filter((one) => flags.has(one))
        .join('')
  return (
    named +
    'KEm'
      .split('')
      .filter((letter) => flags.has(letter))
      .join('')
  )
}

/** Whether a server with these flags tells of an event. */
export function tellsOf(flags: EventFlags, channel: 'K' | 'E', event: string): boolean {
  // One of a module, or of a server of tomorrow, has a kind that is not known here.
  const kind = Object.hasOwn(kinds, event) ? kinds[event]! : 'd'
  return flags.has(channel) && flags.has(kind)
}

/** The kind of each event that Redis and Valkey tell of. */
const kinds: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({
    g: 'del rename_from rename_to move_from move_to copy_to restore expire persist',
    $: 'set setrange incrby decrby incrbyfloat append setbit bitop getset setex psetex pfadd',
    l: 'lpush rpush lpop rpop linsert lset lrem ltrim sortstore',
    s: 'sadd srem spop sinterstore sunionstore sdiffstore',
    h: 'hset hdel hincrby hincrbyfloat hexpire hpersist hexpired',
    z:
      'zadd zincr zrem zpopmin zpopmax zremrangebyscore zremrangebyrank zremrangebylex zinterstore zunionstore zdiffstore ' +
      'zrangestore geosearchstore georadiusstore',
    t:
      'xadd xdel xtrim xsetid xclaim xautoclaim xgroup-create xgroup-createconsumer xgroup-delconsumer xgroup-destroy ' +
      'xgroup-setid',
    x: 'expired',
    e: 'evicted',
    m: 'keymiss',
    n: 'new',
  }).flatMap(([kind, events]) => events.split(' ').map((event) => [event, kind] as const)),
)
