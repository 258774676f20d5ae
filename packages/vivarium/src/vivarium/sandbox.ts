import { now } from '../core/clock.ts'
import { SandboxFailures, VivariumError } from '../core/errors.ts'
import {
  type FidelityWarning,
  type Interaction,
  interactionsWith,
  mailsIn,
  type Observation,
  type ObservedCall,
  type ObservedCommand,
  type ObservedMail,
  type ObservedMessage,
  type ObservedQuery,
  type ObservedRequest,
  type Recorder,
  type Trace,
  traceOf,
} from '../core/interactions.ts'
import { closeOnce, OpenResources } from '../core/lifecycle.ts'
import type { Isolation } from '../core/options.ts'
import type { SandboxOwner, SandboxPart } from '../core/owner.ts'
import { runInContext } from '../core/registry.ts'
import type { MailPart } from '../mail/mail-server.ts'
import type { SandboxMail } from '../mail/mailbox.ts'
import { FaultPoints, type SandboxFaults } from './sandbox-faults.ts'
import { changesNothing } from '../postgres/gateway/changes-nothing.ts'
import type { PostgresSandbox } from '../postgres/gateway/gateway-types.ts'
import type { RedisGateway } from '../redis/gateway/gateway.ts'

/** A sandbox's part in Postgres. */
export interface SandboxPostgres {
  /** URL pinned to this sandbox, for concurrent tests and other processes. */
  readonly url: string
}

/** A sandbox's part in Redis. */
export interface SandboxRedis {
  /** URL pinned to this sandbox, for concurrent tests and other processes. */
  readonly url: string
}

/**
 * One test's world: the one owner of everything that test touches, in every component. `interactions` is what has crossed
 * between the application and its components so far, in order; `queries`, `commands`, `calls`, `mails`, `requests` and `messages` are the same
 * by component.
 */
export interface Sandbox extends Trace, AsyncDisposable {
  /** Names the sandbox in messages: usually the test's full name. */
  readonly title: string
  readonly isolation: Isolation
  /** Throws `CONFIG_INVALID` when the vivarium was opened without `postgres`. */
  readonly postgres: SandboxPostgres
  /** Throws `CONFIG_INVALID` when the vivarium was opened without `redis`. */
  readonly redis: SandboxRedis
  /** Throws `CONFIG_INVALID` when the vivarium was opened without `mail`. */
  readonly mail: SandboxMail
  /**
   * Breaks what crosses in this sandbox and in those within it, on purpose: the n-th or the matching statement, command, request,
   * mail or call fails, times out or loses its connection, before or after it took effect. A fault that nothing meets fails the test.
   *
   * @example
   * ```ts
   * import { currentSandbox } from 'vivarium'
   *
   * // It is committed, and the application never hears of it.
   * currentSandbox().fault.query('COMMIT').losesConnection('after')
   * ```
   */
  readonly fault: SandboxFaults
  /** What would behave differently in production. */
  readonly fidelityWarnings: readonly FidelityWarning[]
  /**
   * Runs `fn` in this sandbox and resolves to its result and to what crossed between the application and its
   * components meanwhile. Rejects with what `fn` rejects with.
   *
   * @example
   * ```ts
   * import { expect } from 'vitest'
   * import { currentSandbox } from 'vivarium'
   *
   * async function readOrder(id: string): Promise<void> {
   *   // … the application does its work …
   * }
   *
   * const seen = await currentSandbox().observe(() => readOrder('17'))
   * expect(seen.queries.map((query) => query.command)).toEqual(['SELECT', 'SELECT'])
   * ```
   */
  observe<T>(fn: () => T | Promise<T>): Promise<Observation<T>>
  /**
   * Verifies, ends what is still open, rolls back. Rejects with {@link SandboxFailures}, which lists everything that
   * broke. A second call waits for the first and resolves.
   */
  close(): Promise<void>
}

/** What {@link ComposedSandbox} is made of. */
export interface SandboxParts {
  readonly title: string
  readonly isolation: Isolation
  /** The stable URL follows it while it is the innermost one. */
  readonly current: boolean
  /** The sandbox around it, also where it does not nest in that one's database. */
  readonly around: ComposedSandbox | undefined
  readonly recorder: Recorder
  readonly postgres: PostgresSandbox | undefined
  readonly redis?: RedisGateway | undefined
  readonly mail?: MailPart | undefined
  /** Opens a sandbox that nests in this one. */
  readonly openWithin?: (within: ComposedSandbox, title: string) => Promise<ComposedSandbox>
  /** A fidelity warning fails it at close. */
  readonly failsOnWarnings?: boolean
  /** Called once when it is closed, whatever the outcome. */
  readonly onClosed: (sandbox: ComposedSandbox) => void
  /** Called with what failed when it was closed, where no sandbox is around it to fail by that. */
  readonly onLateFailure: (error: unknown) => void
}

/** The sandbox that nests directly in an owner: one at a time. */
export class NestingSlot {
  #holder: { readonly title: string; readonly opened: Promise<ComposedSandbox> } | undefined

  /** Title of the sandbox in the slot, also while it is opening. */
  get holder(): string | undefined {
    return this.#holder?.title
  }

  /** Fills the slot until the sandbox is closed. Takes effect at once, before the opening has finished. */
  fill(title: string, open: (empty: () => void) => Promise<ComposedSandbox>): Promise<ComposedSandbox> {
    const empty = (): void => {
      if (this.#holder === holder) this.#holder = undefined
    }
    const opened = open(empty)
    const holder = { title, opened }
    this.#holder = holder
    opened.catch(empty)
    return opened
  }

  /** Closes the sandbox in the slot and returns what broke. */
  async close(): Promise<readonly unknown[]> {
    const sandbox = await this.#holder?.opened.catch(() => undefined)
    return sandbox === undefined ? [] : closingFailures(sandbox)
  }
}

/** Closes a sandbox and returns what broke instead of rejecting. */
export async function closingFailures(sandbox: Sandbox): Promise<readonly unknown[]> {
  try {
    await sandbox.close()
    return []
  } catch (error) {
    return error instanceof SandboxFailures ? error.errors : [error]
  }
}

/** A sandbox made of one part per component. */
export class ComposedSandbox implements Sandbox, SandboxOwner {
  readonly title: string
  readonly isolation: Isolation
  readonly current: boolean
  readonly around: ComposedSandbox | undefined
  readonly recorder: Recorder
  readonly nested: NestingSlot = new NestingSlot()
  readonly close: () => Promise<void>
  /** Sandboxes nested in it that may be open at once. */
  readonly #beside: Set<NestingSlot> = new Set()
  readonly #openedAt: number = now()
  readonly #postgres: PostgresSandbox | undefined
  readonly #redis: RedisGateway | undefined
  readonly #mail: MailPart | undefined
  readonly #parts: Map<string, SandboxPart> = new Map()
  readonly #owned: OpenResources = new OpenResources()
  readonly #onLateFailure: (error: unknown) => void
  readonly #openWithin: SandboxParts['openWithin']
  #state: 'open' | 'closing' | 'closed' = 'open'

  constructor(parts: SandboxParts) {
    this.title = parts.title
    this.isolation = parts.isolation
    this.current = parts.current
    this.around = parts.around
    this.recorder = parts.recorder
    this.#postgres = parts.postgres
    this.#redis = parts.redis
    this.#mail = parts.mail
    this.#onLateFailure = parts.onLateFailure
    this.#openWithin = parts.openWithin
    this.close = closeOnce(() => this.#close(parts))
  }

  get postgres(): SandboxPostgres {
    if (this.#postgres === undefined) throw noPostgres()
    return { url: this.#postgres.url }
  }

  get redis(): SandboxRedis {
    if (this.#redis === undefined) throw noRedis()
    return { url: this.#redis.urlOf(this) }
  }

  get mail(): SandboxMail {
    if (this.#mail === undefined) throw noMail()
    return this.#mail.mailboxOf(this)
  }

  get fault(): SandboxFaults {
    return new FaultPoints(this)
  }

  /** Opens a sandbox within this one, as it stands now. */
  openWithin(title: string): Promise<ComposedSandbox> {
    if (this.#openWithin === undefined) throw new Error('a sandbox that no vivarium has opened')
    return this.#openWithin(this, title)
  }

  /** Its part in the gateway, for a sandbox that nests in it. */
  get postgresPart(): PostgresSandbox | undefined {
    return this.#postgres
  }

  /** A place for one more concurrent sandbox within this one. */
  beside(): NestingSlot {
    const slot = new NestingSlot()
    this.#beside.add(slot)
    return slot
  }

  /** A statement by which the sandbox may have changed its database. */
  get firstChange(): string | undefined {
    const statements = [...this.queries, ...this.recorder.ownStatements]
    return statements.find((statement) => !changesNothing(statement))?.text
  }

  get interactions(): readonly Interaction[] {
    return this.recorder.interactions
  }

  get queries(): readonly ObservedQuery[] {
    return interactionsWith('postgres', this.recorder.interactions)
  }

  get commands(): readonly ObservedCommand[] {
    return interactionsWith('redis', this.recorder.interactions)
  }

  get calls(): readonly ObservedCall[] {
    return interactionsWith('mock', this.recorder.interactions)
  }

  get mails(): readonly ObservedMail[] {
    return mailsIn(this.recorder.interactions)
  }

  get requests(): readonly ObservedRequest[] {
    return interactionsWith('http', this.recorder.interactions)
  }

  get messages(): readonly ObservedMessage[] {
    return interactionsWith('pubsub', this.recorder.interactions)
  }

  get fidelityWarnings(): readonly FidelityWarning[] {
    return this.recorder.fidelityWarnings
  }

  get state(): 'open' | 'closing' | 'closed' {
    return this.#state
  }

  elapsed(): number {
    return now() - this.#openedAt
  }

  fail(error: unknown): void {
    // What came too late for this sandbox is not to be lost.
    if (this.#state !== 'closed') this.recorder.fail(error)
    else if (this.around !== undefined) this.around.fail(error)
    else this.#onLateFailure(error)
  }

  part<T extends SandboxPart>(component: string, make: (owner: SandboxOwner) => T): T {
    const known = this.knownPart<T>(component)
    if (known !== undefined) return known
    if (this.#state === 'closed') throw sandboxClosed(this.title, `use ${component}`, this.#state)
    const part = make(this)
    this.#parts.set(component, part)
    return part
  }

  knownPart<T extends SandboxPart>(component: string): T | undefined {
    return this.#parts.get(component) as T | undefined
  }

  own(name: string, close: () => Promise<unknown> | void): void {
    if (this.#state === 'closed') throw sandboxClosed(this.title, `keep ${name} open`, this.#state)
    this.#owned.add(name, close)
  }

  /** Throws `SANDBOX_CLOSED` unless the sandbox is open. */
  assertOpen(action: string): void {
    if (this.#state === 'open') return
    throw sandboxClosed(this.title, action, this.#state)
  }

  async observe<T>(fn: () => T | Promise<T>): Promise<Observation<T>> {
    this.assertOpen('observe')
    const from = this.recorder.interactions.length
    const result = await runInContext(this, fn)
    const interactions = this.recorder.since(from)
    return { result, ...traceOf(interactions) }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close({ failsOnWarnings = false, onClosed }: SandboxParts): Promise<void> {
    this.#state = 'closing'
    const failures = new Set<unknown>()
    const add = (more: readonly unknown[] = []): void => more.forEach((failure) => failures.add(failure))
    /** One step; whatever becomes of it, the next one follows. */
    const step = async (work: () => unknown): Promise<void> => {
      try {
        await work()
      } catch (error) {
        failures.add(error)
      }
    }
    await step(async () => add(await this.nested.close()))
    for (const slot of this.#beside) await step(async () => add(await slot.close()))
    // Ahead of those who wait for what is under way: this would never end.
    await step(async () => add(await this.recorder.faults.endHeld()))
    for (const part of this.#parts.values()) await step(() => part.settle?.())
    const ownedFailures: unknown[] = []
    const endOwned = async (): Promise<void> => void ownedFailures.push(...(await this.#owned.closeAll()))
    if (this.#postgres === undefined) await endOwned()
    else {
      const endClients = this.#owned.isEmpty ? undefined : endOwned
      await step(async () => add(await this.#postgres?.close(endClients)))
    }
    add(ownedFailures)
    for (const part of this.#parts.values()) await step(() => part.end?.())
    // What came and should not have, then what should have come: the first often is the reason of the second.
    add(this.recorder.failures)
    for (const part of this.#parts.values()) await step(() => add(part.verify?.()))
    add(this.recorder.faults.verify())
    // What was first used while the sandbox was closing.
    add(await this.#owned.closeAll())
    if (failsOnWarnings) add(this.recorder.fidelityWarnings.map((warning) => unfaithful(this.title, warning)))
    this.#state = 'closed'
    // Of the time since: what comes from now on is the failure of the sandbox around this one.
    add(this.recorder.failures)
    onClosed(this)
    if (failures.size > 0) throw new SandboxFailures(`Sandbox "${this.title}"`, [...failures])
  }
}

function unfaithful(title: string, { component, kind, message, text }: FidelityWarning): VivariumError {
  return new VivariumError('FIDELITY_WARNING', {
    what: `In sandbox "${title}" something would behave differently in production (${component}/${kind}): ${message}.`,
    seen: text?.trim(),
    remedy:
      "Run this test with isolation 'database', where it is real; or change what it relies on; or let such things only " +
      "be told, with the option `fidelity: 'warn'`.",
  })
}

function sandboxClosed(title: string, action: string, state: string): VivariumError {
  return new VivariumError('SANDBOX_CLOSED', {
    what: `Cannot ${action}: sandbox "${title}" is ${state}.`,
    remedy: 'Await everything the test starts before it ends, and use a sandbox only until its close().',
  })
}

/** The error for asking a vivarium without Postgres for it. */
export function noPostgres(): VivariumError {
  return new VivariumError('CONFIG_INVALID', {
    what: 'This vivarium has no Postgres: its options have no `postgres`.',
    remedy: "Add it: `postgres: { migrations: './migrations' }`, or `postgres: {}` for an empty database.",
  })
}

/** The error for asking a vivarium without mail for it. */
export function noMail(): VivariumError {
  return new VivariumError('CONFIG_INVALID', {
    what: 'This vivarium has no mail server: its options have no `mail`.',
    remedy:
      'Add it: `mail: {}` writes its URL into SMTP_URL, `mail: { env: … }` into the variables of your application.',
  })
}

/** The error for asking a vivarium without Redis for it. */
export function noRedis(): VivariumError {
  return new VivariumError('CONFIG_INVALID', {
    what: 'This vivarium has no Redis: its options have no `redis`.',
    remedy: 'Add it: `redis: {}` uses the server that is installed here, `redis: { url }` another one.',
  })
}
