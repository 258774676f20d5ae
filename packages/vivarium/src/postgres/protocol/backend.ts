import { Backend } from './message-types.ts'
import { MessageWriter } from './writer.ts'

/** What ReadyForQuery says of the transaction: idle, in a transaction, in a failed one. */
export type TransactionStatus = 'I' | 'T' | 'E'

function empty(type: number): Buffer {
  return new MessageWriter(5).begin(type).end().take()
}

export const parseComplete: Buffer = empty(Backend.parseComplete)
export const bindComplete: Buffer = empty(Backend.bindComplete)
export const closeComplete: Buffer = empty(Backend.closeComplete)
export const noData: Buffer = empty(Backend.noData)
export const noParameters: Buffer = new MessageWriter().begin(Backend.parameterDescription).int16(0).end().take()
export const authenticationOk: Buffer = new MessageWriter().begin(Backend.authentication).int32(0).end().take()
export const authenticationCleartext: Buffer = new MessageWriter().begin(Backend.authentication).int32(3).end().take()

export const readyForQuery: Readonly<Record<TransactionStatus, Buffer>> = {
  I: new MessageWriter().begin(Backend.readyForQuery).text('I').end().take(),
  T: new MessageWriter().begin(Backend.readyForQuery).text('T').end().take(),
  E: new MessageWriter().begin(Backend.readyForQuery).text('E').end().take(),
}

export function encodeCommandComplete(tag: string): Buffer {
  return new MessageWriter().begin(Backend.commandComplete).cstring(tag).end().take()
}

export function encodeParameterStatus(name: string, value: string): Buffer {
  return new MessageWriter().begin(Backend.parameterStatus).cstring(name).cstring(value).end().take()
}

export function encodeBackendKeyData(processId: number, secretKey: number): Buffer {
  return new MessageWriter().begin(Backend.backendKeyData).int32(processId).int32(secretKey).end().take()
}

/** Says which protocol we speak to a client that asked for a newer minor version or for `_pq_.` options. */
export function encodeNegotiateProtocolVersion(minor: number, unknownOptions: readonly string[]): Buffer {
  const writer = new MessageWriter().begin(Backend.negotiateProtocolVersion).int32(minor).int32(unknownOptions.length)
  for (const option of unknownOptions) writer.cstring(option)
  return writer.end().take()
}

/** Reads a zero-terminated text that starts at `position`; `end` bounds the search. */
export function readCString(buffer: Buffer, position: number, end: number): string {
  const zero = buffer.indexOf(0, position)
  return buffer.toString('utf8', position, zero === -1 || zero > end ? end : zero)
}

/** The values of a DataRow in text format; `start` is its body's. */
export function readTextRow(buffer: Buffer, start: number): (string | null)[] {
  const row: (string | null)[] = []
  let position = start + 2
  for (let left = buffer.readInt16BE(start); left > 0; left--) {
    const length = buffer.readInt32BE(position)
    position += 4
    row.push(length < 0 ? null : buffer.toString('utf8', position, position + length))
    position += Math.max(0, length)
  }
  return row
}
