import { Frontend, SpecialRequest } from './message-types.ts'
import { MessageWriter } from './writer.ts'

/** Protocol 3.0, which every server from 7.4 on speaks. */
const protocolVersion3: number = 196608

export function encodeStartup(parameters: Readonly<Record<string, string>>): Buffer {
  const writer = new MessageWriter().begin(0).int32(protocolVersion3)
  for (const [name, value] of Object.entries(parameters)) writer.cstring(name).cstring(value)
  return writer.byte(0).end().take()
}

export function encodeSslRequest(): Buffer {
  return new MessageWriter().begin(0).int32(SpecialRequest.ssl).end().take()
}

export function encodeCancelRequest(processId: number, secretKey: Buffer): Buffer {
  return new MessageWriter().begin(0).int32(SpecialRequest.cancel).int32(processId).bytes(secretKey).end().take()
}

export function encodePassword(password: string): Buffer {
  return new MessageWriter().begin(Frontend.password).cstring(password).end().take()
}

export function encodeSaslInitial(mechanism: string, data: string): Buffer {
  const bytes = Buffer.from(data)
  return new MessageWriter().begin(Frontend.password).cstring(mechanism).int32(bytes.length).bytes(bytes).end().take()
}

export function encodeSaslResponse(data: string): Buffer {
  return new MessageWriter().begin(Frontend.password).text(data).end().take()
}

export function encodeQuery(text: string): Buffer {
  return new MessageWriter(text.length + 16).begin(Frontend.query).cstring(text).end().take()
}

export function encodeParse(name: string, text: string, parameterTypes: readonly number[] = []): Buffer {
  const writer = new MessageWriter(text.length + name.length + 32).begin(Frontend.parse).cstring(name).cstring(text)
  writer.int16(parameterTypes.length)
  for (const type of parameterTypes) writer.int32(type)
  return writer.end().take()
}

/** Bind with text parameters and text results. */
export function encodeBind(portal: string, statement: string, values: readonly (string | null)[] = []): Buffer {
  const writer = new MessageWriter().begin(Frontend.bind).cstring(portal).cstring(statement)
  writer.int16(0).int16(values.length)
  for (const value of values) {
    if (value === null) writer.int32(-1)
    else {
      const bytes = Buffer.from(value)
      writer.int32(bytes.length).bytes(bytes)
    }
  }
  return writer.int16(0).end().take()
}

/** A portal or a prepared statement, as Describe and Close name them. */
export type DescribedKind = 'portal' | 'statement'

function kindByte(kind: DescribedKind): number {
  return kind === 'portal' ? 0x50 : 0x53
}

export function encodeDescribe(kind: DescribedKind, name: string): Buffer {
  return new MessageWriter().begin(Frontend.describe).byte(kindByte(kind)).cstring(name).end().take()
}

export function encodeClose(kind: DescribedKind, name: string): Buffer {
  return new MessageWriter().begin(Frontend.close).byte(kindByte(kind)).cstring(name).end().take()
}

export function encodeExecute(portal: string, maxRows = 0): Buffer {
  return new MessageWriter().begin(Frontend.execute).cstring(portal).int32(maxRows).end().take()
}

export function encodeCopyFail(reason: string): Buffer {
  return new MessageWriter().begin(Frontend.copyFail).cstring(reason).end().take()
}

function empty(type: number): Buffer {
  return new MessageWriter(5).begin(type).end().take()
}

export const syncMessage: Buffer = empty(Frontend.sync)
export const flushMessage: Buffer = empty(Frontend.flush)
export const terminateMessage: Buffer = empty(Frontend.terminate)
