import { VivariumError } from '../../core/errors.ts'
import { PostgresServerError } from '../connection/server-error.ts'
import { readyForQuery } from '../protocol/backend.ts'
import { describeType, expectEnd, ProtocolViolation } from '../protocol/frame-reader.ts'
import { Frontend } from '../protocol/message-types.ts'
import { encodeOwnMessage } from '../protocol/server-message.ts'
import type { OwnMessage } from '../protocol/server-message.ts'
import { startsUnit } from './client-path.ts'
import type { ClientPath } from './client-path.ts'
import type { DatabaseWorld, DirectGuest } from './database-world.ts'
import type { DirectConnection, DirectSink } from './direct-connection.ts'
import { DirectObserver } from './direct-observer.ts'
import type { ObservedClient } from './direct-observer.ts'
import { DirectSession } from './direct-session.ts'
import type { Frame } from './extended-protocol.ts'

/** What the direct path needs of the virtual connection it belongs to. */
export interface DirectClient extends ObservedClient {
  readonly isClosed: boolean
  readonly startupParameters: ReadonlyMap<string, string>
  readonly statusByte: 'I' | 'T' | 'E'
  write(bytes: Buffer): void
  flush(): void
  pump(): void
  /** Notes what the client is being told of a setting; false when it has been told the same before. */
  noteReport(name: string, value: string): boolean
  terminate(message: OwnMessage): void
  /** The server has ended the connection, and said why. */
  hangUp(): void
}

const notForTheServer: ReadonlySet<string> = new Set(['user', 'database', 'replication'])

/**
 * One client's messages on their way to a real connection of its own, in a sandbox of isolation `'database'`. It knows
 * nothing of savepoints or rewritten statements: what a statement means is the server's business alone, so that a suite
 * run this way can prove that the other way tells no lies.
 *
 * detached → attaching (a unit begins: its first message is held) → attached → detached (its sandbox closes, or the
 * client's next unit belongs to another one)
 */
export class DirectPath implements ClientPath, DirectGuest, DirectSink {
  readonly #client: DirectClient
  readonly #session: DirectSession
  #world: DatabaseWorld | undefined
  #real: DirectConnection | undefined
  #observer: DirectObserver | undefined
  /** The attempt to get a connection that is under way. */
  #attaching: object | undefined
  #held: Frame | undefined
  #refusal: OwnMessage | undefined
  /** An extended unit was refused as a whole: everything up to Sync is skipped. */
  #isSkipping = false

  constructor(client: DirectClient) {
    this.#client = client
    this.#session = new DirectSession(client)
  }

  // As the way that messages take.

  get heldType(): number | undefined {
    return this.#held?.type
  }

  get isBlocked(): boolean {
    return this.#attaching !== undefined
  }

  get isBetweenUnits(): boolean {
    return (
      !this.#isSkipping &&
      this.#held === undefined &&
      this.runningText === undefined &&
      this.#client.state.status === 'idle'
    )
  }

  get unanswered(): number {
    return this.#real?.replies.unansweredUnits ?? 0
  }

  get serverIsFull(): boolean {
    return this.#real?.writable === false
  }

  onceServerDrained(callback: () => void): void {
    this.#real?.onceDrained(callback)
  }

  clientIsFull(): void {
    this.#real?.pause()
  }

  clientDrained(): void {
    this.#real?.resume()
  }

  flush(): void {
    this.#client.flush()
    this.#real?.flush()
  }

  cancel(): Promise<void> | undefined {
    if (this.isBlocked) {
      this.#giveUp({ code: '57014', message: 'canceling statement due to user request' })
      return undefined
    }
    return this.#real?.replies.isQuiet === false ? this.#real.cancel().catch(() => undefined) : undefined
  }

  clientVanished(): void {
    this.leave()
  }

  /** The client's next unit belongs elsewhere: the real connection is ended. */
  leave(): void {
    this.#world?.leave(this)
    this.detached()
  }

  /** The sandbox that the client's next unit belongs to. Called between units only. */
  enter(world: DatabaseWorld): void {
    if (this.#world === world) return
    this.leave()
    this.#world = world
  }

  /** Waits for notifications, also between units. */
  get listens(): boolean {
    return this.#session.listens
  }

  /**
   * Connects before a unit asks for it, between units: at a login, and where notifications may come. Resolves to the
   * backend's process id when all is as the client left it, or to why there is no connection.
   */
  async connect(world: DatabaseWorld): Promise<number | OwnMessage | undefined> {
    this.enter(world)
    const refusal = this.#real === undefined && !this.isBlocked ? await this.#attach() : undefined
    return this.#real?.processId ?? refusal
  }

  take(frame: Frame): void {
    const current = this.#held ?? frame
    this.#held = undefined
    if (this.#real !== undefined) return this.#forward(this.#real, current)
    if (current.type === Frontend.sync) {
      expectEnd(current.start + 5, current.end)
      this.#isSkipping = false
      this.#client.write(readyForQuery[this.#client.statusByte])
      return
    }
    if (this.#isSkipping || isIgnoredWhenIdle(current.type)) return
    if (!startsUnit(current.type)) {
      throw new ProtocolViolation(`invalid frontend message type ${current.type} (${describeType(current.type)})`)
    }
    const refusal = this.#refusal
    this.#refusal = undefined
    if (refusal !== undefined) this.#refuse(refusal, current.type)
    else {
      this.#held = current
      void this.#attach()
    }
  }

  #forward(real: DirectConnection, frame: Frame): void {
    if (this.#observer?.see(frame) === 'sent') return
    real.send(frame.buffer.subarray(frame.start, frame.end))
  }

  /** Ends without a connection when that cannot be had, which it returns the reason of, or is no longer wanted. */
  async #attach(): Promise<OwnMessage | undefined> {
    const world = this.#world
    if (world === undefined) throw new Error('a unit outside any sandbox')
    const attempt = {}
    this.#attaching = attempt
    const isStillWanted = (): boolean => this.#attaching === attempt && !this.#client.isClosed
    try {
      const real = await world.attach(this, this.#parameters(), this)
      if (!isStillWanted()) return undefined
      this.#attaching = undefined
      const restored = this.#begin(world, real)
      this.#client.pump()
      await Promise.race([restored, real.closed])
      return undefined
    } catch (error) {
      if (!isStillWanted()) return undefined
      const refusal = whyNotAttached(world, error)
      this.#giveUp(refusal)
      return refusal
    }
  }

  #parameters(): Record<string, string> {
    return Object.fromEntries([...this.#client.startupParameters].filter(([name]) => !notForTheServer.has(name)))
  }

  #begin(world: DatabaseWorld, real: DirectConnection): Promise<void> {
    this.#real = real
    const send = (bytes: Buffer): void => real.send(bytes)
    const restored = this.#session.begin(real.replies, send, (text, reason) =>
      world.recorder.warn({
        component: 'postgres',
        kind: 'session-not-restored',
        message: `What an earlier sandbox had made of connection ${this.id} could not be made again: ${reason}`,
        text,
      }),
    )
    this.#observer = new DirectObserver({
      client: this.#client,
      session: this.#session,
      world,
      replies: real.replies,
      send,
    })
    return restored
  }

  /** The unit that waits for its connection gets this error instead. */
  #giveUp(refusal: OwnMessage): void {
    this.#attaching = undefined
    this.#world?.leave(this)
    // Without a unit that waits there is nobody to tell; the next one tries again.
    if (this.#held !== undefined) this.#refusal = refusal
    this.#client.pump()
  }

  #refuse(message: OwnMessage, type: number): void {
    const client = this.#client
    client.write(encodeOwnMessage(message))
    if (type === Frontend.query || type === Frontend.functionCall) client.write(readyForQuery[client.statusByte])
    else this.#isSkipping = true
  }

  // As a guest of the sandbox's database.

  get id(): number {
    return this.#client.id
  }

  get runningText(): string | undefined {
    if (this.#held !== undefined) return 'a statement that waits for its connection to the database'
    const real = this.#real
    const observer = this.#observer
    if (real === undefined || observer === undefined) return undefined
    return observer.isInUnit || !real.replies.isQuiet ? observer.lastText : undefined
  }

  get isInTransaction(): boolean {
    return this.#real !== undefined && this.#client.state.status !== 'idle'
  }

  get transactionText(): string {
    return this.#observer?.transactionText ?? ''
  }

  get transactionSince(): number {
    return this.#observer?.transactionSince ?? 0
  }

  get lastText(): string {
    return this.#observer?.lastText ?? ''
  }

  detached(): void {
    this.#world = undefined
    this.#real = undefined
    this.#observer = undefined
    this.#attaching = undefined
  }

  terminate(message: OwnMessage): void {
    this.#client.terminate(message)
    this.detached()
  }

  // What the server says.

  write(bytes: Buffer): void {
    this.#client.write(bytes)
  }

  report(name: string, value: string, isOurs: boolean): boolean {
    return this.#client.noteReport(name, value) || !isOurs
  }

  lost(reason: Error | undefined): void {
    this.detached()
    if (reason === undefined) this.#client.hangUp()
    else this.#client.terminate({ code: '08006', message: `the connection to the server broke: ${reason.message}` })
  }
}

/** The error of a client whose connection could not be had: the server's own words where there are any. */
function whyNotAttached(world: DatabaseWorld, error: unknown): OwnMessage {
  if (error instanceof PostgresServerError) {
    const { code, message, detail, hint } = error.fields
    return { code, message, detail, hint }
  }
  const isLimit = error instanceof VivariumError && error.code === 'CONNECTION_LIMIT'
  return {
    code: isLimit ? '53300' : '58000',
    message: `no connection to the database of the sandbox "${world.title}"`,
    detail: error instanceof VivariumError ? `${error.what} ${error.seen ?? ''}` : String(error),
    hint: error instanceof VivariumError ? error.remedy : undefined,
  }
}

function isIgnoredWhenIdle(type: number): boolean {
  return (
    type === Frontend.flush || type === Frontend.copyData || type === Frontend.copyDone || type === Frontend.copyFail
  )
}
