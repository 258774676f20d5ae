import type { Socket } from 'node:net'
import { withDeadline } from '../../core/clock.ts'
import { sendCancelRequest } from '../connection/backend-connection.ts'
import type { BackendConnection } from '../connection/backend-connection.ts'
import { readCString } from '../protocol/backend.ts'
import { FrameReader } from '../protocol/frame-reader.ts'
import { encodeCopyFail, terminateMessage } from '../protocol/frontend.ts'
import { Backend } from '../protocol/message-types.ts'
import { DirectReplies } from './direct-replies.ts'
import { ServerOutput } from './server-output.ts'

/** Whom a real connection's bytes are for. */
export interface DirectSink {
  write(bytes: Buffer): void
  flush(): void
  /** The server reports a setting; returns whether the client is to hear of it. */
  report(name: string, value: string, isOurs: boolean): boolean
  /** The connection has ended, and not because of us; with a reason when it did not end in good order. */
  lost(reason: Error | undefined): void
}

/** How long the server may take to let go of a connection that was ended. Milliseconds. */
const leaveDeadlineMs = 5000

/** Bytes of answers that are read for a client that has gone; the server's next write then fails, as it would without us. */
const mostDiscarded = 1 << 20

/**
 * A virtual connection's own connection to its sandbox's database. Bytes pass as they are; what is watched on the way
 * is in {@link DirectReplies}.
 */
export class DirectConnection {
  readonly replies: DirectReplies = new DirectReplies()
  readonly processId: number
  /** Resolves when the backend has gone: the server closes the socket by ending the process. */
  readonly closed: Promise<void>
  readonly #backend: BackendConnection
  readonly #socket: Socket
  readonly #reader = new FrameReader()
  #sink: DirectSink | undefined
  readonly #output: ServerOutput
  #discarded = 0
  #broken: Error | undefined

  constructor(backend: BackendConnection, sink: DirectSink) {
    this.#backend = backend
    this.#socket = backend.socket
    this.#output = new ServerOutput(backend.socket)
    this.#sink = sink
    this.processId = backend.processId
    this.closed = new Promise((resolve) => {
      this.#socket.once('close', () => {
        resolve()
        this.#sink?.lost(this.#broken)
      })
    })
    this.#socket.on('error', () => this.#socket.destroy())
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    this.#socket.resume()
  }

  get writable(): boolean {
    return this.#output.writable
  }

  onceDrained(callback: () => void): void {
    this.#output.onceDrained(callback)
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  send(bytes: Buffer): void {
    this.#output.send(bytes)
  }

  flush(): void {
    this.#output.flush()
  }

  cancel(): Promise<void> {
    return sendCancelRequest(this.#backend)
  }

  /**
   * Nobody listens any more: ends the connection as a client does, behind what it has sent. Resolves when the server
   * has let go of it, which a running statement can delay; see {@link DirectConnection.closed} and `destroy`.
   */
  leave(): Promise<void> {
    if (this.#sink === undefined) return this.closed
    this.flush()
    this.#sink = undefined
    // The server is held up by a client that did not read: its end is a reset then, as it would be without us.
    if (this.#socket.isPaused()) {
      this.#socket.destroy()
      return this.closed
    }
    if (this.replies.isCopyingIn) this.#socket.write(encodeCopyFail('the client is gone'))
    if (this.#socket.writable) this.#socket.end(terminateMessage)
    // What is still to come is read, so that the server is not held up by it.
    this.#socket.resume()
    return this.closed
  }

  /** Waits for the end of a connection that was left, and breaks it off when the server takes too long. */
  async gone(): Promise<void> {
    if (!(await this.isGoneWithin(leaveDeadlineMs))) this.#socket.destroy()
  }

  isGoneWithin(deadlineMs: number): Promise<boolean> {
    const gone = this.closed.then(() => true)
    return withDeadline(gone, deadlineMs, () => new Error('late')).catch(() => false)
  }

  #receive(chunk: Buffer): void {
    if (this.#sink === undefined) {
      this.#discarded += chunk.length
      if (this.#discarded > mostDiscarded) this.#socket.destroy()
    }
    const reader = this.#reader
    let buffer: Buffer | undefined
    let runStart = 0
    let runEnd = 0
    const passRun = (): void => {
      if (buffer !== undefined && runEnd > runStart) this.#sink?.write(buffer.subarray(runStart, runEnd))
      buffer = undefined
    }
    try {
      reader.push(chunk)
      for (let type = reader.next(); type !== 0; type = reader.next()) {
        if (!this.#take(type)) {
          const instead = this.replies.takeInstead()
          if (instead === undefined) continue
          passRun()
          this.#sink?.write(instead)
          continue
        }
        if (buffer === reader.buffer && runEnd === reader.start) runEnd = reader.end
        else {
          passRun()
          buffer = reader.buffer
          runStart = reader.start
          runEnd = reader.end
        }
      }
    } catch (error) {
      // What a server sends is the protocol; whoever speaks something else here is none.
      this.#broken = error instanceof Error ? error : new Error(String(error))
      this.#socket.destroy()
    }
    passRun()
    this.#sink?.flush()
  }

  #take(type: number): boolean {
    const { buffer, start, end } = this.#reader
    switch (type) {
      case Backend.noticeResponse:
      case Backend.notificationResponse:
        return true
      case Backend.parameterStatus: {
        const name = readCString(buffer, start + 5, end)
        const value = readCString(buffer, start + 5 + Buffer.byteLength(name) + 1, end)
        return this.#sink?.report(name, value, this.replies.isAnsweringOurs) ?? false
      }
      default:
        return this.replies.take(type, buffer, start, end)
    }
  }
}
