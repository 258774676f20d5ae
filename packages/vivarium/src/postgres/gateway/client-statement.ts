import { describeType, expectEnd } from '../protocol/frame-reader.ts'
import { Frontend } from '../protocol/message-types.ts'
import type { OwnMessage } from '../protocol/server-message.ts'
import type { Statement } from '../sql/statement.ts'
import type { ClientNames } from './client-names.ts'
import type { Frame } from './extended-protocol.ts'

/** A prepared statement as one client knows it. It outlives sandboxes; the real one behind it may come and go. */
export interface ClientStatement {
  /** The text as the client sent it. */
  readonly text: string
  /** The text as it goes to the server: the same but for names of prepared statements, as they are now. */
  serverText: string
  readonly parameterTypes: readonly number[]
  /** What it is; `undefined` for an empty text, or one that the server will refuse. */
  readonly statement: Statement | undefined
  /** Never sent to the server: the gateway carries it out. */
  readonly isVirtual: boolean
  /** See `KnownText`. */
  readonly isPlainRead?: boolean
  /** Key of the real statement in the session's {@link PreparedStatements}; unnamed ones have none. */
  key: string | undefined
  /** It is a PREPARE: the real name that its text now has. */
  readonly prepares?: string
  /** Made by SQL PREPARE: the statement that makes it, with its real name. */
  readonly sqlPrepare?: { readonly text: string; readonly name: string }
}

/** What SQL PREPARE makes: the name is the client's, the real one is ours. */
export function madeBySql(statement: Extract<Statement, { kind: 'prepare' }>, name: string): ClientStatement {
  const { start } = statement.span
  const before = statement.text.slice(0, statement.nameSpan.start - start)
  const text = before + name + statement.text.slice(statement.nameSpan.end - start)
  return {
    text: statement.text,
    serverText: text,
    parameterTypes: [],
    statement,
    isVirtual: false,
    key: undefined,
    sqlPrepare: { text, name },
  }
}

/** A bound statement. */
export interface ClientPortal {
  readonly statement: ClientStatement
  readonly params: readonly (string | Uint8Array | null)[]
  /** Its name in the real session; `undefined` for a virtual statement. */
  readonly realName: string | undefined
  /** A virtual statement that has run: like the server, we run a command's portal once. */
  readonly isDone?: boolean
}

/** Where the parts of a Bind message lie. */
export interface BindParts {
  readonly portal: string
  readonly statement: string
  /** Offset behind the two names: format codes, values, result formats. */
  readonly restStart: number
}

export function readBindNames(buffer: Buffer, start: number, end: number): BindParts {
  const portalEnd = buffer.indexOf(0, start)
  const statementEnd = buffer.indexOf(0, portalEnd + 1)
  if (portalEnd === -1 || statementEnd === -1 || statementEnd >= end) throw new RangeError('a Bind without its names')
  return {
    portal: buffer.toString('utf8', start, portalEnd),
    statement: buffer.toString('utf8', portalEnd + 1, statementEnd),
    restStart: statementEnd + 1,
  }
}

/** The values of a Bind message: text format as strings, binary format as bytes. */
export function readBindValues(buffer: Buffer, restStart: number, end: number): (string | Uint8Array | null)[] {
  let position = restStart
  const formatCount = buffer.readUInt16BE(position)
  position += 2
  const formatStart = position
  position += formatCount * 2
  const count = buffer.readUInt16BE(position)
  position += 2
  const values: (string | Uint8Array | null)[] = []
  for (let index = 0; index < count; index++) {
    const length = buffer.readInt32BE(position)
    position += 4
    if (length < 0) {
      values.push(null)
      continue
    }
    const formatIndex = formatCount === 1 ? 0 : index
    const isBinary = formatIndex < formatCount && buffer.readUInt16BE(formatStart + formatIndex * 2) === 1
    values.push(
      isBinary
        ? Uint8Array.from(buffer.subarray(position, position + length))
        : buffer.toString('utf8', position, position + length),
    )
    position += length
    if (position > end) expectEnd(position, end)
  }
  expectEnd(position + 2 + buffer.readUInt16BE(position) * 2, end)
  return values
}

export function unknownStatement(name: string): OwnMessage {
  return {
    code: '26000',
    message: name === '' ? 'unnamed prepared statement does not exist' : `prepared statement "${name}" does not exist`,
    file: name === '' ? 'postgres.c' : 'prepare.c',
    routine: name === '' ? 'exec_bind_message' : 'FetchPreparedStatement',
  }
}

export function describedStatementUnknown(name: string): OwnMessage {
  const routine = name === '' ? 'exec_describe_statement_message' : 'FetchPreparedStatement'
  return { ...unknownStatement(name), routine }
}

export function duplicateStatement(name: string): OwnMessage {
  return {
    code: '42P05',
    message: `prepared statement "${name}" already exists`,
    file: 'prepare.c',
    routine: 'StorePreparedStatement',
  }
}

export function wrongParameterCount(count: number, name: string, statement: ClientStatement): OwnMessage {
  const wanted = statement.parameterTypes.length
  return {
    code: '08P01',
    message: `bind message supplies ${count} parameters, but prepared statement "${name}" requires ${wanted}`,
    file: 'postgres.c',
    routine: 'exec_bind_message',
  }
}

export function unknownPortal(name: string): OwnMessage {
  return {
    code: '34000',
    message: `portal "${name}" does not exist`,
    file: 'postgres.c',
    routine: 'exec_execute_message',
  }
}

export function duplicatePortal(name: string): OwnMessage {
  return {
    code: '42P03',
    message: `cursor "${name}" already exists`,
    file: 'portalmem.c',
    routine: 'CreatePortal',
  }
}

export function finishedPortal(name: string): OwnMessage {
  return {
    code: '55000',
    message: `portal "${name}" cannot be run`,
    file: 'portalmem.c',
    routine: 'MarkPortalActive',
  }
}

export const abortedTransaction: OwnMessage = {
  code: '25P02',
  message: 'current transaction is aborted, commands ignored until end of transaction block',
  file: 'postgres.c',
  routine: 'exec_bind_message',
}

/** The statement that a message is about, for reports. */
export function textOfFrame({ type, buffer, start, end }: Frame, names: ClientNames): string {
  const first = buffer.indexOf(0, start + 5)
  switch (type) {
    case Frontend.query:
      return buffer.toString('utf8', start + 5, first)
    case Frontend.parse:
      return buffer.toString('utf8', first + 1, buffer.indexOf(0, first + 1))
    case Frontend.bind: {
      const { statement } = readBindNames(buffer, start + 5, end)
      return names.statements.get(statement)?.text ?? statement
    }
    case Frontend.execute: {
      const portal = buffer.toString('utf8', start + 5, first)
      return names.portals.get(portal)?.statement.text ?? portal
    }
    case Frontend.describe: {
      const name = buffer.toString('utf8', start + 6, first)
      return names.statements.get(name)?.text ?? names.portals.get(name)?.statement.text ?? name
    }
    case Frontend.functionCall:
      return `function call ${buffer.readInt32BE(start + 5)}`
    default:
      return `a message of type ${describeType(type)}`
  }
}
