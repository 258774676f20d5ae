import { openBackendConnection } from '../../postgres/connection/backend-connection.ts'
import { ownApplicationName } from '../../postgres/connection/client.ts'
import { PostgresServerError } from '../../postgres/connection/server-error.ts'
import { parsePostgresUrl } from '../../postgres/connection/target.ts'
import { readTextRow } from '../../postgres/protocol/backend.ts'
import { FrameReader } from '../../postgres/protocol/frame-reader.ts'
import {
  encodeBind,
  encodeExecute,
  encodeParse,
  syncMessage,
  terminateMessage,
} from '../../postgres/protocol/frontend.ts'
import { Backend } from '../../postgres/protocol/message-types.ts'
import { readMessageFields, toServerMessage } from '../../postgres/protocol/server-message.ts'

/** A statement with its parameters as text. */
export interface FactoryStatement {
  readonly text: string
  readonly params: readonly (string | null)[]
}

/** A row's fields as text, in the order of the statement's columns. */
export type TextRow = readonly (string | null)[]

/** One unit of work: its statements are sent together, and all of them take effect or none. */
interface Unit {
  readonly results: TextRow[][]
  /** What this unit prepares, in order, until the server has said that it has. */
  readonly preparing: { readonly text: string; readonly name: string }[]
  /** How many of its statements have ended. */
  completed: number
  error: PostgresServerError | undefined
  resolve(results: TextRow[][]): void
  reject(error: Error): void
}

/** A statement failed: which one of its unit. */
export class StatementFailed extends Error {
  override readonly name: string = 'StatementFailed'
  readonly index: number
  readonly server: PostgresServerError

  constructor(index: number, server: PostgresServerError) {
    super(server.message, { cause: server })
    this.index = index
    this.server = server
  }
}

/** A connection for the factories' statements, which are prepared once and sent without waiting for each other. */
export interface FactoryConnection {
  /** `17` of `17.2`. */
  readonly serverVersion: number
  /**
   * Runs statements as one unit of work.
   *
   * @returns the rows of each
   * @throws StatementFailed
   */
  run(statements: readonly FactoryStatement[]): Promise<readonly (readonly TextRow[])[]>
  close(): void
}

/** Opens a connection under the name by which the gateway knows it from the application's. */
export async function openFactoryConnection(url: string): Promise<FactoryConnection> {
  const target = parsePostgresUrl(url)
  const { socket, parameters } = await openBackendConnection({
    ...target,
    parameters: { ...target.parameters, application_name: ownApplicationName },
  })
  const reader = new FrameReader()
  const queue: Unit[] = []
  const names = new Map<string, string>()
  let prepared = 0
  let fatal: Error | undefined
  let isClosing = false

  socket.on('error', (error) => {
    fatal ??= error
    socket.destroy()
  })
  socket.once('close', () => {
    fatal ??= new Error('the connection of the factories was closed')
    for (const unit of queue.splice(0)) unit.reject(fatal)
  })

  const handle = (type: number, buffer: Buffer, start: number, end: number): void => {
    const unit = queue[0]
    switch (type) {
      case Backend.parseComplete: {
        const ready = unit?.preparing.shift()
        if (ready !== undefined) names.set(ready.text, ready.name)
        return
      }
      case Backend.commandComplete:
      case Backend.emptyQueryResponse:
        if (unit !== undefined) unit.completed++
        return
      case Backend.bindComplete:
        unit?.results.push([])
        return
      case Backend.dataRow:
        unit?.results.at(-1)?.push(readTextRow(buffer, start))
        return
      case Backend.errorResponse: {
        const error = new PostgresServerError(toServerMessage(readMessageFields(buffer, start, end)))
        if (unit === undefined || error.fields.severity === 'FATAL') fatal = error
        if (unit !== undefined) unit.error ??= error
        return
      }
      case Backend.readyForQuery:
        queue.shift()
        if (unit !== undefined) settle(unit)
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

  return {
    serverVersion: Number.parseInt(parameters.get('server_version') ?? '', 10),
    run: (statements) =>
      new Promise((resolve, reject) => {
        if (isClosing || fatal !== undefined || socket.destroyed) {
          reject(fatal ?? new Error('the connection of the factories is closed'))
          return
        }
        const preparing: Unit['preparing'] = []
        const messages: Buffer[] = []
        for (const { text, params } of statements) {
          let name = names.get(text)
          if (name === undefined) {
            name = `factory_${++prepared}`
            preparing.push({ text, name })
            messages.push(encodeParse(name, text))
          }
          messages.push(encodeBind('', name, params), encodeExecute(''))
        }
        messages.push(syncMessage)
        queue.push({ results: [], preparing, completed: 0, error: undefined, resolve, reject })
        socket.write(Buffer.concat(messages))
      }),
    close: () => {
      isClosing = true
      socket.end(terminateMessage)
    },
  }
}

function settle({ error, results, completed, resolve, reject }: Unit): void {
  if (error === undefined) resolve(results)
  else reject(new StatementFailed(completed, error))
}
