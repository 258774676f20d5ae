import { readCString, readTextRow } from '../protocol/backend.ts'
import { FrameReader } from '../protocol/frame-reader.ts'
import { encodeCopyFail, encodeQuery, terminateMessage } from '../protocol/frontend.ts'
import { Backend } from '../protocol/message-types.ts'
import { readMessageFields, toServerMessage } from '../protocol/server-message.ts'
import type { ServerMessage } from '../protocol/server-message.ts'
import { openBackendConnection } from './backend-connection.ts'
import type { ConnectOptions } from './backend-connection.ts'
import { PostgresServerError } from './server-error.ts'
import { parsePostgresUrl } from './target.ts'
import type { ConnectionTarget } from './target.ts'

/**
 * By this name the gateway knows a connection whose statements Vivarium runs for a test, as a factory's: they are none of the
 * application's, and stay out of its trace.
 */
export const ownApplicationName = 'vivarium factory'

/** A row in text format, by column name. */
export type QueryRow = Record<string, string | null>

/** A small client for Vivarium's own statements: simple protocol, one statement text at a time, in order. */
export interface PostgresClient extends AsyncDisposable {
  readonly processId: number
  /** What the server reported of itself: `server_version`, … */
  readonly parameters: ReadonlyMap<string, string>
  /** Resolves when the connection is gone: to `undefined` after `close()`, else to the reason. */
  readonly closed: Promise<Error | undefined>
  /**
   * Runs one or several statements; calls are queued. Resolves to the rows of the last statement that returned any.
   *
   * @throws PostgresServerError what the server answered.
   */
  query(text: string): Promise<QueryRow[]>
  close(): Promise<void>
}

/** Options of {@link openPostgresClient}. */
export interface OpenPostgresClientOptions extends ConnectOptions {
  onNotice?: (notice: ServerMessage) => void
  /** Called with each notification of a channel that the connection listens on. */
  onNotification?: (notification: { readonly channel: string; readonly payload: string }) => void
}

interface RunningQuery {
  rows: QueryRow[]
  columns: string[]
  error: PostgresServerError | undefined
  resolve(rows: QueryRow[]): void
  reject(error: Error): void
}

/** Opens a client; `target` may be a URL. */
export async function openPostgresClient(
  target: ConnectionTarget | string,
  options: OpenPostgresClientOptions = {},
): Promise<PostgresClient> {
  const connection = await openBackendConnection(
    typeof target === 'string' ? parsePostgresUrl(target) : target,
    options,
  )
  const { socket } = connection
  const reader = new FrameReader()
  const queue: RunningQuery[] = []
  let closing = false
  let fatal: Error | undefined

  const closed = new Promise<Error | undefined>((resolve) => {
    socket.on('error', (error) => {
      fatal ??= error
      socket.destroy()
    })
    socket.once('close', () => {
      const reason = closing ? undefined : (fatal ?? new Error('the server closed the connection'))
      for (const query of queue.splice(0)) query.reject(reason ?? new Error('the connection was closed'))
      fatal ??= reason
      resolve(reason)
    })
  })

  const handle = (type: number, buffer: Buffer, start: number, end: number): void => {
    const query = queue[0]
    switch (type) {
      case Backend.rowDescription:
        if (query !== undefined) {
          query.columns = readColumnNames(buffer, start)
          query.rows = []
        }
        return
      case Backend.dataRow:
        query?.rows.push(readRow(buffer, start, query.columns))
        return
      case Backend.copyInResponse:
        socket.write(encodeCopyFail('COPY FROM STDIN is not supported here'))
        return
      case Backend.noticeResponse:
        options.onNotice?.(toServerMessage(readMessageFields(buffer, start, end)))
        return
      case Backend.notificationResponse: {
        const channel = readCString(buffer, start + 4, end)
        const payload = readCString(buffer, start + 4 + Buffer.byteLength(channel) + 1, end)
        options.onNotification?.({ channel, payload })
        return
      }
      case Backend.errorResponse: {
        const error = new PostgresServerError(toServerMessage(readMessageFields(buffer, start, end)))
        if (query === undefined || error.fields.severity === 'FATAL') fatal = error
        if (query !== undefined) query.error = error
        return
      }
      case Backend.readyForQuery:
        queue.shift()
        if (query?.error !== undefined) query.reject(query.error)
        else query?.resolve(query.rows)
        return
      default:
        return
    }
  }

  socket.on('data', (chunk) => {
    reader.push(chunk)
    for (let type = reader.next(); type !== 0; type = reader.next()) {
      handle(type, reader.buffer, reader.start + 5, reader.end)
    }
  })
  socket.resume()

  const close = async (): Promise<void> => {
    if (!closing) {
      closing = true
      socket.end(terminateMessage)
    }
    await closed
  }

  return {
    processId: connection.processId,
    parameters: connection.parameters,
    closed,
    query: (text) =>
      new Promise((resolve, reject) => {
        if (closing || fatal !== undefined || socket.destroyed) {
          reject(fatal ?? new Error('the connection is closed'))
          return
        }
        queue.push({ rows: [], columns: [], error: undefined, resolve, reject })
        socket.write(encodeQuery(text))
      }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function readColumnNames(buffer: Buffer, start: number): string[] {
  const names: string[] = []
  let position = start + 2
  for (let left = buffer.readInt16BE(start); left > 0; left--) {
    const name = readCString(buffer, position, buffer.length)
    names.push(name)
    position += Buffer.byteLength(name) + 1 + 18
  }
  return names
}

function readRow(buffer: Buffer, start: number, columns: readonly string[]): QueryRow {
  const texts = readTextRow(buffer, start)
  return Object.fromEntries(columns.map((column, index) => [column, texts[index] ?? null]))
}

/** An SQL identifier in double quotes. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** An SQL string literal, whatever `standard_conforming_strings` says. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted
}
