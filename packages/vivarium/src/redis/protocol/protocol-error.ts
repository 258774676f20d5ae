/** Bytes that are not the Redis protocol; `message` is what a server says of them. */
export class RedisProtocolError extends Error {
  override readonly name: string = 'RedisProtocolError'
}

/** A whole number as the protocol writes it: no sign `+`, no leading zeros; `undefined` for anything else. */
export function readInteger(text: string): number | undefined {
  return /^(0|-?[1-9]\d{0,15})$/.test(text) ? Number(text) : undefined
}
