/**
 * A raw Postgres client for tests only: it sends exactly the bytes it is told to send and shows exactly what comes
 * back. Nothing here comes from `src/`, so that a mistake there cannot hide here. Every wait has a deadline.
 */
import { connect as connectSocket, type Socket } from 'node:net'
import { type Answer, AnswerSplitter, errorOf, summarize } from './wire-answers.ts'
import {
  cancelRequest,
  passwordMessage,
  query,
  saslInitialResponse,
  saslResponse,
  startup,
  terminate,
} from './wire-messages.ts'
import { md5Password, ScramClient } from './wire-password.ts'

export * from './wire-answers.ts'
export * from './wire-messages.ts'

/** Where to connect, as read from a URL. */
export interface WireTarget {
  readonly host: string
  readonly port: number
  readonly socketFolder?: string
  readonly user: string
  readonly password: string
  readonly database: string
}

/** @default 10_000 for every wait */
const defaultDeadlineMs = 10_000

/** A wait that ended badly: what was waited for, and everything that arrived meanwhile. */
export class WireError extends Error {
  override readonly name: string = 'WireError'
  readonly arrived: readonly Answer[]

  constructor(message: string, arrived: readonly Answer[]) {
    super(`${message}; arrived: ${summarize(arrived)}`)
    this.arrived = arrived
  }
}

/** Reads `postgres://user:password@host:port/database?host=/socket/folder`. */
export function readUrl(url: string): WireTarget {
  const parsed = new URL(url)
  const folder = parsed.searchParams.get('host')
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, '') || '127.0.0.1',
    port: Number(parsed.port || 5432),
    ...(folder?.startsWith('/') === true ? { socketFolder: folder } : {}),
    user: decodeURIComponent(parsed.username) || 'postgres',
    password: decodeURIComponent(parsed.password),
    database: decodeURIComponent(parsed.pathname.slice(1)) || 'postgres',
  }
}

interface Waiter {
  readonly satisfied: () => boolean
  readonly settle: (error?: Error) => void
}

/** One connection. Answers queue until a wait takes them. */
export class WireConnection {
  readonly socket: Socket
  /** Everything that arrived before the first ReadyForQuery. */
  startupAnswers: readonly Answer[] = []
  #splitter = new AnswerSplitter()
  #answers: Answer[] = []
  #waiter: Waiter | undefined
  #ended: string | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => this.#received(chunk))
    socket.on('error', (error) => this.#finish(`socket error ${error.message}`))
    socket.on('close', () => this.#finish('the connection was closed'))
  }

  get processId(): number {
    return Number(this.#keyData().fields['processId'])
  }

  get secret(): Buffer {
    return Buffer.from(String(this.#keyData().fields['secret']), 'hex')
  }

  get isClosed(): boolean {
    return this.#ended !== undefined
  }

  /** Answers that have arrived and were not taken yet. */
  get waiting(): readonly Answer[] {
    return this.#answers
  }

  /** Writes all of it in one piece. */
  send(...bytes: readonly Buffer[]): void {
    this.socket.write(bytes.length === 1 ? (bytes[0] as Buffer) : Buffer.concat(bytes))
  }

  /** Takes all answers up to and including the `count`-th with this type byte. */
  async until(code: string, count = 1, deadlineMs: number = defaultDeadlineMs): Promise<Answer[]> {
    const end = (): number => {
      let found = 0
      for (let at = 0; at < this.#answers.length; at += 1) {
        if (this.#answers[at]?.code === code && (found += 1) === count) return at + 1
      }
      return -1
    }
    await this.#wait(() => end() !== -1, `${count === 1 ? '' : `${count} messages `}'${code}'`, deadlineMs)
    return this.#answers.splice(0, end())
  }

  /** Takes everything up to the end of the connection. */
  async untilClosed(deadlineMs: number = defaultDeadlineMs): Promise<Answer[]> {
    await this.#wait(() => this.#ended !== undefined, 'the end of the connection', deadlineMs)
    return this.#answers.splice(0)
  }

  /** Waits until what has arrived meets a condition of the caller's, and takes nothing. */
  whenArrived(
    met: (arrived: readonly Answer[]) => boolean,
    waitedFor: string,
    deadlineMs: number = defaultDeadlineMs,
  ): Promise<void> {
    return this.#wait(() => met(this.#answers), waitedFor, deadlineMs)
  }

  /** Takes what has arrived so far, waiting for nothing. */
  take(): Answer[] {
    return this.#answers.splice(0)
  }

  /** One simple Query and all its answers. */
  query(text: string, deadlineMs: number = defaultDeadlineMs): Promise<Answer[]> {
    this.send(query(text))
    return this.until('Z', 1, deadlineMs)
  }

  /** Says goodbye and waits until the other side has closed. */
  async end(): Promise<void> {
    if (this.#ended === undefined) {
      this.send(terminate())
      await this.untilClosed()
    }
    this.socket.destroy()
  }

  /** Vanishes without a word. */
  async vanish(): Promise<void> {
    this.socket.destroy()
    await this.untilClosed()
  }

  #keyData(): Answer {
    const found = this.startupAnswers.find((answer) => answer.code === 'K')
    if (found === undefined) throw new WireError('no BackendKeyData', this.startupAnswers)
    return found
  }

  #received(chunk: Buffer): void {
    try {
      for (const answer of this.#splitter.push(chunk)) this.#answers.push(answer)
    } catch (error) {
      this.#finish(`unreadable answer: ${(error as Error).message}`)
      this.socket.destroy()
      return
    }
    if (this.#waiter?.satisfied() === true) this.#waiter.settle()
  }

  #finish(reason: string): void {
    this.#ended ??= this.#splitter.pendingBytes > 0 ? `${reason} in the middle of a message` : reason
    const waiter = this.#waiter
    if (waiter === undefined) return
    waiter.settle(waiter.satisfied() ? undefined : new Error(this.#ended))
  }

  #wait(satisfied: () => boolean, waitedFor: string, deadlineMs: number): Promise<void> {
    if (this.#waiter !== undefined) throw new Error(`already waiting; cannot also wait for ${waitedFor}`)
    if (satisfied()) return Promise.resolve()
    if (this.#ended !== undefined) {
      return Promise.reject(new WireError(`waited for ${waitedFor}, but ${this.#ended}`, this.#answers))
    }
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => {
        clearTimeout(timer)
        this.#waiter = undefined
        if (error === undefined) resolve()
        else reject(new WireError(`waited for ${waitedFor}, but ${error.message}`, this.#answers))
      }
      const timer = setTimeout(() => settle(new Error(`${deadlineMs} ms passed`)), deadlineMs)
      this.#waiter = { satisfied, settle }
    })
  }
}

/** A TCP (or unix) connection on which nothing has been sent yet. */
export async function dial(where: string | WireTarget): Promise<WireConnection> {
  const target = typeof where === 'string' ? readUrl(where) : where
  const socket =
    target.socketFolder === undefined
      ? connectSocket({ host: target.host, port: target.port, noDelay: true })
      : connectSocket({ path: `${target.socketFolder}/.s.PGSQL.${target.port}` })
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`no connection to ${target.host}:${target.port} within ${defaultDeadlineMs} ms`))
      socket.destroy()
    }, defaultDeadlineMs)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.removeAllListeners('error')
      resolve()
    })
    socket.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
  })
  return new WireConnection(socket)
}

/** Options of {@link connect}. */
export interface ConnectOptions {
  /** More start-up parameters; they override `user` and `database`. */
  readonly parameters?: Readonly<Record<string, string>>
  readonly password?: string
}

/** Connects, authenticates and waits for the first ReadyForQuery. */
export async function connect(where: string | WireTarget, options: ConnectOptions = {}): Promise<WireConnection> {
  const target = typeof where === 'string' ? readUrl(where) : where
  const connection = await dial(target)
  try {
    connection.send(startup({ user: target.user, database: target.database, ...options.parameters }))
    await authenticate(connection, target.user, options.password ?? target.password)
    connection.startupAnswers = await connection.until('Z')
    return connection
  } catch (error) {
    connection.socket.destroy()
    throw error
  }
}

/** Answers the server's questions until AuthenticationOk. */
async function authenticate(connection: WireConnection, user: string, password: string): Promise<void> {
  const scram = new ScramClient(password)
  for (;;) {
    // An ErrorResponse ends the connection, so waiting for 'R' then reports it with its fields.
    const answer = (await connection.until('R')).at(-1)
    switch (answer?.fields['kind']) {
      case 0:
        return
      case 3:
        connection.send(passwordMessage(password))
        break
      case 5:
        connection.send(passwordMessage(md5Password(user, password, Buffer.from(String(answer.fields['salt']), 'hex'))))
        break
      case 10:
        connection.send(saslInitialResponse('SCRAM-SHA-256', scram.first()))
        break
      case 11:
        connection.send(saslResponse(scram.final(String(answer.fields['data']))))
        break
      case 12:
        scram.verify(String(answer.fields['data']))
        break
      default:
        throw new WireError('an authentication request of an unknown kind', answer === undefined ? [] : [answer])
    }
  }
}

/** Sends a cancel request on a connection of its own and waits until the server has closed that one. */
export async function cancel(where: string | WireTarget, victim: WireConnection): Promise<void> {
  const connection = await dial(where)
  connection.send(cancelRequest(victim.processId, victim.secret))
  await connection.untilClosed()
}

/** The one byte a server answers to SSLRequest or GSSENCRequest, read before any message. */
export async function singleByteAnswer(where: string | WireTarget, request: Buffer): Promise<string> {
  const connection = await dial(where)
  try {
    return await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`waited ${defaultDeadlineMs} ms for the answer to an encryption request`)),
        defaultDeadlineMs,
      )
      connection.socket.removeAllListeners('data')
      connection.socket.once('data', (chunk: Buffer) => {
        clearTimeout(timer)
        resolve(chunk.toString('latin1'))
      })
      connection.send(request)
    })
  } finally {
    connection.socket.destroy()
  }
}

/** The message of the error a query was answered with; fails when there was none. */
export async function queryError(connection: WireConnection, text: string): Promise<Record<string, string>> {
  const answers = await connection.query(text)
  const error = errorOf(answers)
  if (error === undefined) throw new WireError(`expected an error from ${text}`, answers)
  return error
}
