import { SpecialRequest } from '../protocol/message-types.ts'
import { ProtocolViolation } from '../protocol/frame-reader.ts'

/** The server's bound on a start-up packet (PostgreSQL `pqcomm.h`, MAX_STARTUP_PACKET_LENGTH). */
const maxStartupLength = 10_000

/** What a client opens its connection with. */
export type StartupRequest =
  | { readonly kind: 'encryption' }
  | { readonly kind: 'cancel'; readonly processId: number; readonly secretKey: number }
  | {
      readonly kind: 'session'
      readonly minorVersion: number
      readonly parameters: ReadonlyMap<string, string>
      readonly protocolOptions: readonly string[]
    }

/** Puts the untyped first packets together; `take` returns one when it is whole. */
export class StartupReader {
  #bytes: Buffer = Buffer.alloc(0)

  push(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
  }

  /** What came behind the packets taken so far. */
  get rest(): Buffer {
    return this.#bytes
  }

  /** @throws ProtocolViolation when this is not a start-up packet. */
  take(): StartupRequest | undefined {
    const bytes = this.#bytes
    if (bytes.length < 4) return undefined
    const length = bytes.readInt32BE(0)
    if (length < 8 || length > maxStartupLength) throw new ProtocolViolation('invalid length of startup packet')
    if (bytes.length < length) return undefined
    this.#bytes = bytes.subarray(length)
    return readRequest(bytes.subarray(0, length))
  }
}

function readRequest(packet: Buffer): StartupRequest {
  const code = packet.readInt32BE(4)
  if (code === SpecialRequest.ssl || code === SpecialRequest.gssEncryption) return { kind: 'encryption' }
  if (code === SpecialRequest.cancel) {
    if (packet.length < 16) throw new ProtocolViolation('invalid length of query cancel packet')
    return { kind: 'cancel', processId: packet.readInt32BE(8), secretKey: packet.readInt32BE(12) }
  }
  const major = code >>> 16
  if (major !== 3) {
    throw new ProtocolViolation(
      `unsupported frontend protocol ${major}.${code & 0xffff}: server supports 3.0 to 3.0`,
      '0A000',
    )
  }
  const texts = packet.toString('utf8', 8).split('\0')
  if (texts.length < 2 || texts.at(-1) !== '' || texts.at(-2) !== '') {
    throw new ProtocolViolation('invalid startup packet layout: expected terminator as last byte')
  }
  const parameters = new Map<string, string>()
  const protocolOptions: string[] = []
  for (let index = 0; index + 1 < texts.length - 1; index += 2) {
    const name = texts[index] ?? ''
    if (name.startsWith('_pq_.')) protocolOptions.push(name)
    else parameters.set(name, texts[index + 1] ?? '')
  }
  return { kind: 'session', minorVersion: code & 0xffff, parameters, protocolOptions }
}
