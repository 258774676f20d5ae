import type { Reply } from '../protocol/reply.ts'

/** Changes a reply that names keys or channels. */
export type ReplyChange = (reply: Reply) => Reply

/** A value without the prefix; whatever else it is, as it is. */
export function strip(reply: Reply, prefix: Buffer): Reply {
  if (reply.type !== '$' || reply.bytes === undefined || !startsWith(reply.bytes, prefix)) return reply
  return { ...reply, bytes: reply.bytes.subarray(prefix.length) }
}

export function startsWith(bytes: Buffer, prefix: Buffer): boolean {
  return bytes.length >= prefix.length && bytes.compare(prefix, 0, prefix.length, 0, prefix.length) === 0
}

/** Strips what `isName` picks among the values of a list. */
export function stripItems(prefix: Buffer, isName: (index: number) => boolean = () => true): ReplyChange {
  return (reply) => changeItems(reply, (item, index) => (isName(index) ? strip(item, prefix) : item))
}

/** Of SCAN: a cursor and the keys. */
export function stripScan(prefix: Buffer): ReplyChange {
  return (reply) => changeItems(reply, (item, index) => (index === 1 ? stripItems(prefix)(item) : item))
}

/** Of XREAD: for each stream its key and its entries, in RESP3 as a map. */
export function stripStreams(prefix: Buffer): ReplyChange {
  return (reply) => {
    if (reply.type === '%') return stripItems(prefix, (index) => index % 2 === 0)(reply)
    return changeItems(reply, (item) => stripItems(prefix, (index) => index === 0)(item))
  }
}

function changeItems(reply: Reply, change: (item: Reply, index: number) => Reply): Reply {
  if (!('items' in reply) || reply.items === undefined) return reply
  return { ...reply, items: reply.items.map(change) }
}
