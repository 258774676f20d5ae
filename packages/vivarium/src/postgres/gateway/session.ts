import type { Socket } from 'node:net'
import { withDeadline } from '../../core/clock.ts'
import { sendCancelRequest } from '../connection/backend-connection.ts'
import type { BackendConnection } from '../connection/backend-connection.ts'
import { PostgresServerError } from '../connection/server-error.ts'
import { readCString, readTextRow } from '../protocol/backend.ts'
import { FrameReader } from '../protocol/frame-reader.ts'
import { encodeClose, encodeBind, encodeExecute, encodeParse, encodeQuery, syncMessage } from '../protocol/frontend.ts'
import { Backend } from '../protocol/message-types.ts'
import { readMessageFields, toServerMessage } from '../protocol/server-message.ts'
import type { MessageFields } from '../protocol/server-message.ts'
import { keptBack, passedOn } from './reply.ts'
import type { Reply, ReplySink, ReplyVerdict } from './reply.ts'
import { ServerOutput } from './server-output.ts'
import { statementUnderWay } from './statement-under-way.ts'

/** Statements of ours that stay prepared; beyond this many all are closed and prepared again when next needed. */
const maxControls = 256

/** How long the server may take for a query of ours, all of which are short. Milliseconds. */
const queryDeadlineMs = 30_000

/** How long the server may take to end a session. Milliseconds. */
const closeDeadlineMs = 5000

/** A prepared statement of ours. */
interface Control {
  readonly name: string
  /** Bind and Execute. */
  readonly run: Buffer
  readonly bind: Reply
  readonly execute: Reply
}

/**
 * The one real connection of a lease. It writes messages in order, knows which reply each awaits, and passes the
 * answers on to the virtual connection whose turn it is. It knows nothing of transactions; see `World`.
 */
export class Session {
  readonly processId: number
  readonly parameters: ReadonlyMap<string, string>
  /** What the server has last reported of each setting, whichever connection's turn it was. */
  reported: ReadonlyMap<string, string>
  /** Whom visible answers go to. */
  sink: ReplySink | undefined
  /** Called once when the connection is gone. */
  onLost: (reason: Error) => void = () => undefined
  readonly #connection: BackendConnection
  readonly #socket: Socket
  readonly #reader = new FrameReader()
  readonly #replies: Reply[] = []
  readonly #controls = new Map<string, Control>()
  #controlNumber = 0
  readonly #output: ServerOutput
  #runBuffer: Buffer | undefined
  #runStart = 0
  #runEnd = 0
  #after: readonly Buffer[] | undefined
  /** What the server is ready behind, until that is passed on. */
  #finished: Reply | undefined
  #lost: Error | undefined
  /** Queries of ours that are under way: what rejects them. */
  readonly #unanswered = new Set<(reason: Error) => void>()
  #closing = false

  constructor(connection: BackendConnection) {
    this.#connection = connection
    this.#socket = connection.socket
    this.#output = new ServerOutput(connection.socket)
    this.processId = connection.processId
    this.parameters = connection.parameters
    this.reported = new Map(connection.parameters)
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    this.#socket.on('error', (error) => this.#lose(error))
    this.#socket.on('close', () => this.#lose(new Error('the server closed the connection')))
    this.#socket.resume()
  }

  get lost(): Error | undefined {
    return this.#lost
  }

  /** True when nothing sent awaits an answer. */
  get quiet(): boolean {
    return this.#replies.length === 0
  }

  /** True when of what was sent only the server's word that it is ready, or something of ours, is to be answered. */
  get toldTheClient(): boolean {
    return this.#replies.every(({ until, visible }) => until === 'ready' || !visible)
  }

  get writable(): boolean {
    return this.#output.writable
  }

  onceDrained(callback: () => void): void {
    this.#output.onceDrained(callback)
  }

  /** Stops reading answers while a client does not take them. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** A client does not take the answers. */
  get isPaused(): boolean {
    return this.#socket.isPaused()
  }

  /** Queues bytes for the server, all or a part; what they await is said apart. */
  send(bytes: Buffer, start?: number, end?: number): void {
    this.#output.send(bytes, start, end)
  }

  /** Notes that a reply is awaited for what was just sent. */
  expect(reply: Reply): void {
    this.#replies.push(reply)
    if (this.#replies.length === 1) this.#reached()
  }

  /** Forgets an awaited ReadyForQuery: the server ignores a Sync that it reads during COPY FROM STDIN. */
  unexpectReady(): void {
    const last = this.#replies.at(-1)
    if (last?.until === 'ready') this.#replies.pop()
  }

  /** Runs a statement of ours inside whatever is under way, prepared once, unseen by the client. */
  control(
    text: string,
    onError?: (fields: MessageFields) => Buffer | undefined,
    watch: Pick<Reply, 'onNotice' | 'onRow'> = {},
  ): void {
    let control = this.#controls.get(text)
    if (control === undefined) {
      if (this.#controls.size >= maxControls) this.#closeControls()
      const name = `vivarium_c${this.#controlNumber++}`
      const onFailure = (fields: MessageFields): undefined => {
        this.#controlFailed(text, fields, undefined)
        return undefined
      }
      control = {
        name,
        run: Buffer.concat([encodeBind('', name), encodeExecute('')]),
        bind: { until: 'bind', visible: false, onError: onFailure },
        execute: { until: 'execute', visible: false, onError: onFailure },
      }
      this.#controls.set(text, control)
      this.send(encodeParse(name, text))
      this.expect({
        until: 'parse',
        visible: false,
        onError: (fields) => this.#controlFailed(text, fields, onError),
        onSkipped: () => this.#controls.delete(text),
      })
    }
    this.send(control.run)
    if (onError === undefined && watch.onNotice === undefined && watch.onRow === undefined) {
      // The usual case, several times a unit: nothing new is made for it.
      this.expect(control.bind)
      this.expect(control.execute)
      return
    }
    const failed = (fields: MessageFields): Buffer | undefined => this.#controlFailed(text, fields, onError)
    this.expect({ until: 'bind', visible: false, onError: failed })
    this.expect({ until: 'execute', visible: false, onError: failed, ...watch })
  }

  #controlFailed(
    text: string,
    fields: MessageFields,
    onError: ((fields: MessageFields) => Buffer | undefined) | undefined,
  ): Buffer | undefined {
    this.#controls.delete(text)
    if (onError !== undefined) return onError(fields)
    this.destroy(new Error(`the gateway's own statement "${text}" failed: ${fields['C']} ${fields['M']}`))
    return undefined
  }

  #closeControls(): void {
    for (const { name } of this.#controls.values()) this.closeStatement(name)
    this.#controls.clear()
  }

  /** Drops a prepared statement of the real session. */
  closeStatement(name: string): void {
    this.send(encodeClose('statement', name))
    this.expect({ until: 'close', visible: false })
  }

  /** Ends a group of messages of ours. */
  sync(reply: Omit<Reply, 'until' | 'visible'>): void {
    this.send(syncMessage)
    this.expect({ until: 'ready', visible: false, ...reply })
  }

  /**
   * Runs a query of ours when nothing else is under way; resolves to its rows in text format. A server that does not answer
   * in time has lost the session.
   *
   * @throws PostgresServerError what the server answered.
   */
  query(text: string, deadlineMs: number = queryDeadlineMs): Promise<(string | null)[][]> {
    const late = (): Error => {
      const reason = new Error(`the server did not answer the gateway's own "${text}" within ${deadlineMs} ms`)
      this.destroy(reason)
      return reason
    }
    return withDeadline(this.#query(text), deadlineMs, late)
  }

  #query(text: string): Promise<(string | null)[][]> {
    return new Promise((resolve, reject) => {
      this.#unanswered.add(reject)
      const rows: (string | null)[][] = []
      let error: MessageFields | undefined
      this.send(encodeQuery(text))
      this.expect({
        until: 'ready',
        visible: false,
        onRow: (buffer, start) => rows.push(readTextRow(buffer, start)),
        onError: (fields) => {
          error = fields
          return undefined
        },
        onReady: () => undefined,
        onFinished: () => {
          this.#unanswered.delete(reject)
          if (error === undefined) resolve(rows)
          else reject(new PostgresServerError(toServerMessage(error)))
        },
      })
      this.flush()
      if (this.#lost !== undefined) reject(this.#lost)
    })
  }

  /** Hands what was queued to the socket. */
  flush(): void {
    this.#output.flush()
  }

  /**
   * Cancels what runs; resolves when the server has taken the request, so that it cannot hit a later statement. Nor does it
   * hit one of ours ahead of the client's, whose failure would be the sandbox's end.
   */
  async cancel(): Promise<void> {
    if (this.#replies[0]?.visible !== true) {
      const isOurs = (text: string): boolean => [...this.#controls.keys()].some((control) => control.startsWith(text))
      await statementUnderWay(this.#connection, { isOurs, isOver: () => this.quiet })
    }
    if (!this.quiet) await sendCancelRequest(this.#connection)
  }

  destroy(reason: Error): void {
    this.#lose(reason)
  }

  /** Ends the connection in good order, or without the server when that does not answer. */
  async close(deadlineMs: number = closeDeadlineMs): Promise<void> {
    if (this.#lost !== undefined) return
    this.#closing = true
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()))
    this.#socket.end(Buffer.from([0x58, 0, 0, 0, 4]))
    this.#socket.resume()
    const late = (): Error => new Error(`the server did not close a session within ${deadlineMs} ms`)
    await withDeadline(closed, deadlineMs, late).catch(() => this.#socket.destroy())
  }

  #lose(reason: Error): void {
    if (this.#lost !== undefined) return
    this.#lost = reason
    this.#socket.destroy()
    this.#replies.length = 0
    for (const reject of this.#unanswered) reject(reason)
    this.#unanswered.clear()
    if (!this.#closing) this.onLost(reason)
  }

  #receive(chunk: Buffer): void {
    const reader = this.#reader
    try {
      reader.push(chunk)
      for (let type = reader.next(); type !== 0 && this.#lost === undefined; type = reader.next()) {
        if (this.#take(type)) this.#extendRun(reader.buffer, reader.start, reader.end)
        if (this.#after !== undefined) {
          for (const bytes of this.#after) this.emit(bytes)
          this.#after = undefined
        }
        if (this.#finished !== undefined) {
          const finished = this.#finished
          this.#finished = undefined
          this.#flushRun()
          this.sink?.flush()
          finished.onFinished?.()
        }
      }
    } catch (error) {
      this.#lose(error instanceof Error ? error : new Error(String(error)))
    }
    this.#flushRun()
    this.sink?.flush()
    this.flush()
  }

  /** Says something to the client in the order of the answers. */
  emit(bytes: Buffer): void {
    this.#flushRun()
    this.sink?.write(bytes)
  }

  #extendRun(buffer: Buffer, start: number, end: number): void {
    if (this.#runBuffer === buffer && this.#runEnd === start) {
      this.#runEnd = end
      return
    }
    this.#flushRun()
    this.#runBuffer = buffer
    this.#runStart = start
    this.#runEnd = end
  }

  #flushRun(): void {
    if (this.#runBuffer === undefined) return
    this.sink?.write(this.#runBuffer.subarray(this.#runStart, this.#runEnd))
    this.#runBuffer = undefined
  }

  /** Takes one message of the server; true when it is passed on to the client as it is. */
  #take(type: number): boolean {
    const { buffer, start, end } = this.#reader
    const head = this.#replies[0]
    switch (type) {
      case Backend.noticeResponse:
        if (head?.onNotice?.(readMessageFields(buffer, start + 5, end)) === true) return false
        return head?.visible === true
      case Backend.parameterStatus:
        return this.#takeParameterStatus(buffer, start + 5, end)
      case Backend.notificationResponse:
        return false
      case Backend.errorResponse:
        return this.#takeError(head, buffer, start, end)
      case Backend.readyForQuery:
        return this.#takeReady(head, buffer, start)
      case Backend.dataRow:
        head?.onRow?.(buffer, start + 5)
        return head?.visible === true && head.showsRows?.() !== false
      case Backend.commandComplete:
        // Most are of our own statements, whose tags nobody reads.
        return this.#takeTag(head, head?.onTag === undefined ? '' : buffer.toString('latin1', start + 5, end - 1))
      case Backend.emptyQueryResponse:
      case Backend.portalSuspended:
        return this.#takeTag(head, undefined)
      case Backend.copyInResponse:
        head?.onCopyIn?.()
        return head?.visible === true
      case Backend.parseComplete:
        return this.#takeCompletion(head, 'parse')
      case Backend.bindComplete:
        return this.#takeCompletion(head, 'bind')
      case Backend.closeComplete:
        return this.#takeCompletion(head, 'close')
      case Backend.noData:
      case Backend.rowDescription:
        if (head?.until === 'describe') return this.#takeCompletion(head, 'describe')
        return head?.visible === true && head.showsRows?.() !== false
      default:
        return head?.visible === true
    }
  }

  #takeCompletion(head: Reply | undefined, until: Reply['until']): boolean {
    if (head?.until !== until) {
      throw new Error(`the server answered ${until} while ${head?.until ?? 'nothing'} was awaited`)
    }
    this.#shift()
    return head.visible
  }

  #takeTag(head: Reply | undefined, tag: string | undefined): boolean {
    if (head === undefined) throw new Error(`the server completed ${tag ?? 'a query'} that nobody sent`)
    const verdict: ReplyVerdict = head.onTag?.(tag) ?? (head.visible ? passedOn : keptBack)
    this.#after = verdict.after
    if (head.until === 'execute') this.#shift()
    return verdict.forward
  }

  #takeError(head: Reply | undefined, buffer: Buffer, start: number, end: number): boolean {
    const fields = readMessageFields(buffer, start + 5, end)
    if (head === undefined || fields['V'] === 'FATAL' || fields['V'] === 'PANIC') {
      this.#lose(new PostgresServerError(toServerMessage(fields)))
      return false
    }
    const own = head.onError?.(fields)
    if (head.until !== 'ready') {
      this.#skipToSync()
      this.#reached()
    }
    if (own !== undefined) {
      this.emit(own)
      return false
    }
    return head.visible
  }

  /** After an error the server skips everything up to the next Sync (PostgreSQL docs, 54.2.3), a Query as well. */
  #skipToSync(): void {
    const replies = this.#replies
    replies.shift()
    let skipped: Reply | undefined
    const isSkipped = ({ until, isSkippable }: Reply): boolean => until !== 'ready' || isSkippable === true
    for (let head = replies[0]; head !== undefined && isSkipped(head); head = replies[0]) {
      skipped = replies.shift()
      skipped?.onSkipped?.()
    }
    if (replies.length > 0 || skipped?.isSkippable !== true) return
    const { onReady, onFinished } = skipped
    this.sync({ onReady: onReady?.bind(skipped), onFinished: onFinished?.bind(skipped) })
  }

  #takeReady(head: Reply | undefined, buffer: Buffer, start: number): boolean {
    if (head?.until !== 'ready') throw new Error(`the server is ready while ${head?.until ?? 'nothing'} was awaited`)
    const status = String.fromCharCode(buffer[start + 5] as number)
    const shown = head.onReady?.(status)
    if (head.onFinished !== undefined) this.#finished = head
    this.#shift()
    if (shown === undefined) return false
    buffer[start + 5] = shown.charCodeAt(0)
    return true
  }

  #takeParameterStatus(buffer: Buffer, start: number, end: number): boolean {
    const name = readCString(buffer, start, end)
    const value = readCString(buffer, start + Buffer.byteLength(name) + 1, end)
    // Another map each time, so that whoever has been told all of the last one need not compare again.
    this.reported = new Map(this.reported).set(name, value)
    return this.sink?.parameterStatus(name, value) ?? false
  }

  #shift(): void {
    this.#replies.shift()
    this.#reached()
  }

  /** The head has changed: says what is due. */
  #reached(): void {
    for (;;) {
      const head = this.#replies[0]
      if (head === undefined) return
      head.onReached?.()
      if (head.until !== 'synthetic') return
      if (head.bytes !== undefined) this.say(head.bytes)
      this.#replies.shift()
    }
  }

  /** Says something to the client behind the message that is being taken just now; see `settle`. */
  say(bytes: Buffer): void {
    this.#after = this.#after === undefined ? [bytes] : [...this.#after, bytes]
  }

  /** Says what became due while nothing was being received. */
  settle(): void {
    if (this.#after === undefined) return
    const due = this.#after
    this.#after = undefined
    for (const bytes of due) this.emit(bytes)
  }
}
