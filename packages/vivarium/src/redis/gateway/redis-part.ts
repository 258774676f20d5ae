import { withDeadline } from '../../core/clock.ts'
import { VivariumError } from '../../core/errors.ts'
import type { SandboxOwner, SandboxPart } from '../../core/owner.ts'
import type { Scripts } from '../commands/plan.ts'
import type { KeyLog } from '../protocol/request-writer.ts'
import { EventSetting } from './event-setting.ts'
import type { ScriptStore } from './script-store.ts'

/** A client connection, as a sandbox it works in needs it. */
export interface PartConnection {
  /** The oldest command of this sandbox that the server has not replied to. */
  runningIn(part: RedisPart): string | undefined
  /** What waits in this sandbox for something to happen is told that nothing did. */
  unblockIn(part: RedisPart): void
  /** Nothing of this sandbox is to reach the next: ends what it has begun there, and itself when it is pinned to it. */
  leave(part: RedisPart): void
}

/** What a sandbox's part asks of its gateway. */
export interface PartHost {
  readonly scripts: ScriptStore
  /** What holds where no sandbox is open. */
  readonly nobody: { readonly events: EventSetting }
  /** What stands before the names of all its sandboxes. */
  readonly prefix: string
  connections(): Iterable<PartConnection>
  /** Copies the keys with one prefix to another. */
  copy(from: string, to: string): Promise<void>
  /** Removes what a sandbox has left; nobody waits for it here. */
  remove(part: RedisPart): void
}

/** More keys than this are looked for by their prefix. */
const mostTracked = 5000
const settleMs = 2000

/** A sandbox's keyspace and channels: everything of it stands behind one prefix. */
export class RedisPart implements SandboxPart, KeyLog {
  readonly owner: SandboxOwner
  /** Names it in URLs. */
  readonly id: string
  readonly prefix: string
  readonly channelPrefix: Buffer
  readonly pattern: RegExp
  /** Resolves when the keys of the sandbox around it are there; `undefined` when there is nothing to wait for. */
  ready: Promise<void> | undefined
  state: 'open' | 'ended' = 'open'
  /** Number of the sandbox's last transaction. */
  transactions = 0
  readonly scripts: Scripts
  readonly events: EventSetting
  readonly #host: PartHost
  readonly #written: Set<string> = new Set()
  /** There may be keys that are not in `#written`. */
  #hasUnknown = false
  /** Which prefix a database's keys have: SWAPDB changes two. */
  readonly #slots: number[] = []
  readonly #keyPrefixes: Map<number, Buffer> = new Map()
  #inFlight = 0
  /** Something was waited for in vain. */
  #isStuck = false
  #idle: (() => void)[] = []

  constructor(owner: SandboxOwner, id: string, host: PartHost) {
    this.owner = owner
    this.id = id
    this.#host = host
    this.prefix = `${host.prefix}${id}:`
    this.channelPrefix = Buffer.from(`${this.prefix}c:`)
    this.pattern = new RegExp(`${this.prefix}(?:\\d+|c):`, 'g')
    this.scripts = host.scripts.view()
    this.events = new EventSetting(() => partAround(owner)?.events ?? host.nobody.events)
    this.#copyFrom(partAround(owner))
  }

  /** Whether any key of the sandbox may be there. */
  get mayHaveKeys(): boolean {
    return this.#hasUnknown || this.#written.size > 0
  }

  /** The keys there may be, `undefined` when only the server knows. */
  get knownKeys(): ReadonlySet<string> | undefined {
    return this.#hasUnknown ? undefined : this.#written
  }

  keyPrefix(database: number): Buffer {
    const slot = this.#slots[database] ?? database
    let prefix = this.#keyPrefixes.get(slot)
    if (prefix === undefined) this.#keyPrefixes.set(slot, (prefix = Buffer.from(`${this.prefix}${slot}:`)))
    return prefix
  }

  swap(one: number, other: number): void {
    const slot = this.#slots[one] ?? one
    this.#slots[one] = this.#slots[other] ?? other
    this.#slots[other] = slot
  }

  /** Remembers what is to be taken away at the end. */
  writes(keyPrefix: Buffer, keys: readonly Buffer[], unknown: boolean): void {
    if (unknown) this.#hasUnknown = true
    for (const key of keys) this.wrote(keyPrefix, key, 0, key.length)
  }

  /** The same of one key, which stands in `bytes`. */
  wrote(keyPrefix: Buffer, bytes: Buffer, begin: number, end: number): void {
    if (this.#hasUnknown) return
    this.#written.add(keyPrefix.toString('latin1') + bytes.toString('latin1', begin, end))
    if (this.#written.size > mostTracked) this.#hasUnknown = true
  }

  /** One command more that the server has not replied to. */
  began(): void {
    this.#inFlight++
  }

  ended(): void {
    this.#inFlight--
    if (this.#inFlight === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** Waits for what is under way; what waits for something to happen is told that nothing did. */
  async settle(): Promise<void> {
    if (await this.#drain()) return
    this.#isStuck = true
    this.owner.recorder.fail(this.#stillRunning())
  }

  /** Called when the sandbox's clients have ended: takes away everything it made. */
  async end(): Promise<void> {
    this.state = 'ended'
    await this.ready?.catch(() => undefined)
    // What came after the sandbox began to close.
    if (!this.#isStuck) await this.#drain()
    for (const connection of this.#host.connections()) connection.leave(this)
    this.#host.remove(this)
  }

  /** A connection was in the middle of a MULTI when the sandbox closed. */
  leftOpen(connection: number): void {
    this.owner.recorder.fail(
      new VivariumError('TRANSACTION_LEFT_OPEN', {
        what: `Redis connection ${connection} was inside of MULTI when sandbox "${this.owner.title}" closed.`,
        remedy: 'End it with EXEC or DISCARD before the test ends. The connection was closed.',
      }),
    )
  }

  async #drain(): Promise<boolean> {
    if (this.#inFlight === 0) return true
    for (const connection of this.#host.connections()) connection.unblockIn(this)
    const idle = new Promise<void>((resolve) => this.#idle.push(resolve))
    return withDeadline(idle, settleMs, () => new Error('late')).then(
      () => true,
      () => false,
    )
  }

  /** A test of a file sees what the file's own hooks have cached, and takes away only its own. */
  #copyFrom(around: RedisPart | undefined): void {
    if (around === undefined || !around.mayHaveKeys) return
    this.#hasUnknown = true
    this.#slots.push(...around.#slots)
    const { ready = Promise.resolve() } = around
    this.ready = ready
      .then(() => this.#host.copy(around.prefix, this.prefix))
      .finally(() => {
        this.ready = undefined
      })
    const { title } = around.owner
    this.ready.catch((cause: unknown) => this.owner.recorder.fail(notCopied(this.owner.title, title, cause)))
  }

  #stillRunning(): VivariumError {
    const running: string[] = []
    for (const connection of this.#host.connections()) {
      const command = connection.runningIn(this)
      if (command !== undefined) running.push(command)
    }
    return new VivariumError('COMMAND_STILL_RUNNING', {
      what: `A Redis command was still running when sandbox "${this.owner.title}" closed.`,
      seen: running.join(', '),
      remedy: `Await every command before the test ends. It was waited for ${settleMs} ms.`,
    })
  }
}

/** The part of the nearest sandbox around this one that has any. */
function partAround({ around }: SandboxOwner): RedisPart | undefined {
  for (let owner = around; owner !== undefined; owner = owner.around) {
    const part = owner.knownPart<RedisPart>('redis')
    if (part !== undefined) return part
  }
  return undefined
}

function notCopied(title: string, around: string, cause: unknown): VivariumError {
  return new VivariumError('CACHE_NOT_SHARED', {
    what: `What "${around}" has put into Redis could not be copied into sandbox "${title}".`,
    seen: cause instanceof Error ? cause.message : String(cause),
    remedy:
      'See what the server says. Data that is too large to be copied for each test is better made inside of those that need it.',
    cause,
  })
}
