import { MessageWriter } from './writer.ts'
import { Backend } from './message-types.ts'

/** Fields of an ErrorResponse or NoticeResponse by their field letter (PostgreSQL documentation, 54.8). */
export type MessageFields = Readonly<Record<string, string>>

/** An error or a notice of the server, with its fields named. */
export interface ServerMessage {
  readonly severity: string
  /** SQLSTATE. */
  readonly code: string
  readonly message: string
  readonly detail?: string
  readonly hint?: string
  /** Characters from the start of the statement, the first is 1. */
  readonly position?: number
  readonly where?: string
  readonly schema?: string
  readonly table?: string
  readonly column?: string
  readonly constraint?: string
}

/** Reads the fields between `start` and `end`, which exclude type and length. */
export function readMessageFields(buffer: Buffer, start: number, end: number): Record<string, string> {
  const fields: Record<string, string> = {}
  let position = start
  while (position < end && buffer[position] !== 0) {
    const letter = String.fromCharCode(buffer[position] as number)
    const zero = buffer.indexOf(0, position + 1)
    const stop = zero === -1 ? end : zero
    fields[letter] = buffer.toString('utf8', position + 1, stop)
    position = stop + 1
  }
  return fields
}

export function toServerMessage(fields: MessageFields): ServerMessage {
  return {
    severity: fields['V'] ?? fields['S'] ?? 'ERROR',
    code: fields['C'] ?? 'XX000',
    message: fields['M'] ?? '',
    detail: fields['D'],
    hint: fields['H'],
    position: fields['P'] === undefined ? undefined : Number(fields['P']),
    where: fields['W'],
    schema: fields['s'],
    table: fields['t'],
    column: fields['c'],
    constraint: fields['n'],
  }
}

/** What a gateway of ours says in the server's place. */
export interface OwnMessage {
  severity?: 'ERROR' | 'FATAL' | 'WARNING' | 'NOTICE'
  /** SQLSTATE. */
  code: string
  message: string
  detail?: string
  hint?: string
  position?: number
  /** Source file and routine, where we say what a server's routine would have said. */
  file?: string
  routine?: string
}

/** An ErrorResponse (or, for a warning or notice, a NoticeResponse) with these fields. */
export function encodeOwnMessage(message: OwnMessage): Buffer {
  const severity = message.severity ?? 'ERROR'
  const isNotice = severity === 'WARNING' || severity === 'NOTICE'
  const fields: Record<string, string> = { S: severity, V: severity, C: message.code, M: message.message }
  if (message.detail !== undefined) fields['D'] = message.detail
  if (message.hint !== undefined) fields['H'] = message.hint
  if (message.position !== undefined) fields['P'] = String(message.position)
  if (message.file !== undefined) fields['F'] = message.file
  if (message.routine !== undefined) fields['R'] = message.routine
  return encodeMessageFields(isNotice ? Backend.noticeResponse : Backend.errorResponse, fields)
}

export function encodeMessageFields(type: number, fields: MessageFields): Buffer {
  const writer = new MessageWriter().begin(type)
  for (const [letter, value] of Object.entries(fields)) writer.byte(letter.charCodeAt(0)).cstring(value)
  return writer.byte(0).end().take()
}
