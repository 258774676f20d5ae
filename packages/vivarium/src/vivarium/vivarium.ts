import { SandboxFailures, VivariumError } from '../core/errors.ts'
import { Recorder } from '../core/interactions.ts'
import { closeOnce, type OpenResources } from '../core/lifecycle.ts'
import type { Fidelity, Isolation } from '../core/options.ts'
import { addCurrent, removeCurrent } from '../core/registry.ts'
import type { MailPart } from '../mail/mail-server.ts'
import type { ResolvedMail } from '../mail/options.ts'
import type { ResolvedHttp } from '../http/options.ts'
import type { PostgresJoinInfo, PostgresPart } from '../postgres/component/worker.ts'
import type { RedisJoinInfo } from '../redis/component/worker.ts'
import type { RedisGateway } from '../redis/gateway/gateway.ts'
import { closingFailures, ComposedSandbox, NestingSlot, noMail, noPostgres, noRedis, type Sandbox } from './sandbox.ts'

/** What a worker needs to take part in a vivarium that another process opened. Plain JSON. */
export interface JoinInfo {
  /** Raised whenever the fields change their meaning. */
  readonly shape: 1
  readonly postgres?: PostgresJoinInfo | undefined
  readonly redis?: RedisJoinInfo | undefined
  readonly mail?: ResolvedMail | undefined
  readonly http?: ResolvedHttp
  /** What becomes of a fidelity warning. @default 'warn' */
  readonly fidelity?: Fidelity
}

/** How a sandbox is opened. */
export interface OpenSandboxOptions {
  /** @default the isolation of the sandbox it nests in, else the configured one */
  isolation?: Isolation
  /**
   * Lets it be open beside another one. It has a database of its own and is reached by its pinned URL only: the stable
   * URL never follows it.
   * @default false
   */
  concurrent?: boolean
  /** Names the sandbox in messages. */
  title?: string
  /** Nests it in an open sandbox: what that one did is visible, and only what this one did is taken away at its close. */
  within?: Sandbox
}

/** {@link OpenSandboxOptions} for runner adapters. */
export interface OpenAroundOptions extends OpenSandboxOptions {
  /**
   * The sandbox around it where it does not nest in that one's database: what was set up there in this process (stubs,
   * handlers) serves it all the same. @default `within`
   */
  readonly around?: ComposedSandbox | undefined
}

/** One test run's shared part: servers found or started, template built. */
export interface Vivarium extends AsyncDisposable {
  /** Throws `CONFIG_INVALID` when the options had no `postgres`. */
  readonly postgres: {
    /** Follows this process's current sandbox: put it in `DATABASE_URL` once. */
    readonly url: string
    /** The plain server behind it, for tools and comparisons. Nothing is sandboxed there. */
    readonly serverUrl: string
  }
  /** Throws `CONFIG_INVALID` when the options had no `redis`. */
  readonly redis: {
    /** Follows this process's current sandbox: put it in `REDIS_URL` once. */
    readonly url: string
    /** The plain server behind it, for tools and comparisons. Nothing is sandboxed there. */
    readonly serverUrl: string
  }
  /** Throws `CONFIG_INVALID` when the options had no `mail`. */
  readonly mail: {
    /** Follows this process's current sandbox: put it in `SMTP_URL` once. Any credentials are accepted. */
    readonly url: string
    /** The server's self-signed certificate, PEM: for a client that uses STARTTLS, `tls: { ca }`. */
    readonly certificate: string
  }
  /**
   * Opens a sandbox. Rejects with `SANDBOX_ALREADY_OPEN` when another one is open and `concurrent` was not asked for.
   */
  openSandbox(options?: OpenSandboxOptions): Promise<Sandbox>
  /** What another process of this run needs to join. */
  describe(): JoinInfo
  /**
   * Closes every sandbox that is still open, then everything else, even when a part fails. Rejects with all failures.
   * A second call waits for the first and resolves.
   */
  close(): Promise<void>
}

/** The parts of a {@link JoinedVivarium}. */
export interface VivariumParts {
  readonly postgres: PostgresPart | undefined
  readonly redis?: RedisGateway | undefined
  readonly mail?: MailPart | undefined
  /** Closed at the end, last opened first. */
  readonly opened: OpenResources
  /** Resolves with the reason when a server ended by itself. Only the process that started it knows. */
  readonly lost?: Promise<Error>
}

/** A vivarium as one process sees it. */
export class JoinedVivarium implements Vivarium {
  readonly close: () => Promise<void>
  readonly #info: JoinInfo
  readonly #postgres: PostgresPart | undefined
  readonly #redis: RedisGateway | undefined
  readonly #mail: MailPart | undefined
  readonly #opened: OpenResources
  readonly #outermost: NestingSlot = new NestingSlot()
  readonly #opening: Set<Promise<ComposedSandbox>> = new Set()
  readonly #open: Set<ComposedSandbox> = new Set()
  readonly #stableRefusals: Set<() => void> = new Set()
  /** What failed when every sandbox that could have failed by it was closed. */
  readonly #lateFailures: unknown[] = []
  #onLateFailure: (error: unknown) => void = (error) => void this.#lateFailures.push(error)
  #allowStable: readonly (() => void)[] = []
  #closed = false
  #lost: Error | undefined
  #count = 0

  constructor(info: JoinInfo, parts: VivariumParts) {
    this.#info = info
    this.#postgres = parts.postgres
    this.#redis = parts.redis
    this.#mail = parts.mail
    this.#opened = parts.opened
    this.close = closeOnce(() => this.#close())
    void parts.lost?.then((reason) => {
      this.#lost = reason
      for (const sandbox of this.#open) sandbox.fail(reason)
    })
  }

  get postgres(): Vivarium['postgres'] {
    if (this.#postgres === undefined) throw noPostgres()
    return { url: this.#postgres.url, serverUrl: this.#postgres.serverUrl }
  }

  get redis(): Vivarium['redis'] {
    if (this.#redis === undefined || this.#info.redis === undefined) throw noRedis()
    return { url: this.#redis.url, serverUrl: this.#info.redis.serverUrl }
  }

  get mail(): Vivarium['mail'] {
    if (this.#mail === undefined) throw noMail()
    return this.#mail
  }

  /** The application's environment variables that name a stable URL, and what to write into them. */
  get environment(): Readonly<Record<string, string>> {
    const postgres = this.#postgres && this.#info.postgres && { [this.#info.postgres.env]: this.#postgres.url }
    const redis = this.#redis && this.#info.redis && { [this.#info.redis.env]: this.#redis.url }
    return { ...postgres, ...redis, ...this.#mail?.environment }
  }

  describe(): JoinInfo {
    return this.#info
  }

  async openSandbox(options: OpenAroundOptions = {}): Promise<ComposedSandbox> {
    if (this.#closed) {
      throw new VivariumError('VIVARIUM_CLOSED', {
        what: 'Cannot open a sandbox: the vivarium is closed.',
        remedy: 'Close the vivarium last, once per process, after the last test.',
      })
    }
    if (this.#lost !== undefined) throw this.#lost
    this.#count++
    const { concurrent = false, title = `sandbox ${this.#count}`, within } = options
    const parent = within === undefined ? undefined : openParent(within, title)
    const around = options.around ?? parent
    const isolation = options.isolation ?? parent?.isolation ?? this.#info.postgres?.isolation ?? 'transaction'
    const sharesSession = parent !== undefined && (parent.isolation !== 'database' || isolation !== 'database')
    if (concurrent && sharesSession) throw nestedConcurrent(title, parent)
    const slot = concurrent ? (parent?.beside() ?? new NestingSlot()) : (parent?.nested ?? this.#outermost)
    if (slot.holder !== undefined) throw alreadyOpen(title, slot.holder, parent)
    const opening = slot.fill(title, (empty) =>
      this.#compose({ title, isolation, parent, around, current: !concurrent && (parent?.current ?? true) }, empty),
    )
    this.#opening.add(opening)
    try {
      return await opening
    } finally {
      this.#opening.delete(opening)
    }
  }

  /**
   * Refuses everything on the stable URLs until the returned function is called, and calls `onRefused` for each refusal.
   * For runner adapters: while tests run at once, nothing tells whose work a statement is, or whose mail.
   */
  refuseStableUrl(onRefused: () => void): () => void {
    if (this.#stableRefusals.size === 0) this.#allowStable = this.#refuseStable()
    this.#stableRefusals.add(onRefused)
    return () => {
      if (!this.#stableRefusals.delete(onRefused) || this.#stableRefusals.size > 0) return
      for (const allow of this.#allowStable) allow()
      this.#allowStable = []
    }
  }

  /**
   * Calls `report` with what fails when no sandbox is left that could fail by it, instead of reporting it when the vivarium closes. For
   * runner adapters: a worker ends without that.
   */
  reportLateFailures(report: (error: unknown) => void): void {
    this.#onLateFailure = report
  }

  /** Each component in the words of its protocol. */
  #refuseStable(): readonly (() => void)[] {
    // The remedy stands in the message itself: clients and runners show little else.
    const message = `${stableUrlAmbiguous.what} ${stableUrlAmbiguous.remedy}`
    const onRefused = (): void => this.#stableRefusals.forEach((refused) => refused())
    return [
      this.#postgres?.refuseStable({ message: { code: '55000', message }, onRefused }),
      this.#redis?.refuseStable(`STABLE_URL_AMBIGUOUS ${message}`, onRefused),
      this.#mail?.refuseStable({ message, onRefused }),
    ].filter((allow) => allow !== undefined)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #compose(
    asked: Pick<ComposedSandbox, 'title' | 'isolation' | 'current' | 'around'> & {
      parent: ComposedSandbox | undefined
    },
    empty: () => void,
  ): Promise<ComposedSandbox> {
    const { title, isolation, parent, current, around } = asked
    const recorder = new Recorder(around?.recorder)
    const postgres = await this.#postgres?.openSandbox({
      title,
      recorder,
      isolation,
      current,
      within: parent?.postgresPart,
    })
    const onClosed = (closed: ComposedSandbox): void => {
      this.#open.delete(closed)
      removeCurrent(closed)
      empty()
      if (closed.current) void this.#redis?.currentChanged()
    }
    const sandbox = new ComposedSandbox({
      title,
      isolation,
      current,
      around,
      recorder,
      postgres,
      redis: this.#redis,
      mail: this.#mail,
      openWithin: (within, inner) => this.openSandbox({ within, title: inner }),
      failsOnWarnings: this.#info.fidelity === 'fail',
      onClosed,
      onLateFailure: (error) => this.#onLateFailure(error),
    })
    this.#open.add(sandbox)
    if (current) {
      addCurrent(sandbox)
      await this.#redis?.currentChanged()
    }
    return sandbox
  }

  async #close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled(this.#opening)
    const failures: unknown[] = []
    for (const sandbox of this.#open) failures.push(...(await closingFailures(sandbox)))
    failures.push(...(await this.#opened.closeAll()), ...this.#lateFailures)
    if (failures.length > 0) throw new SandboxFailures('The vivarium', failures)
  }
}

/** What a client on the stable URL is told while concurrent tests run; the report of `STABLE_URL_AMBIGUOUS`. */
export const stableUrlAmbiguous: Readonly<Record<'what' | 'remedy', string>> = {
  what: 'The stable URL is refused while concurrent tests run: nothing tells which of them this is for (STABLE_URL_AMBIGUOUS).',
  remedy:
    'Give the application of a concurrent test the URL of its own sandbox, `currentSandbox().postgres.url` (or `.redis.url`, `.mail.url`), with ' +
    'a client for each test (perSandbox makes one behind one object); or run the test alone, without `.concurrent`.',
}

function openParent(within: Sandbox, title: string): ComposedSandbox {
  if (!(within instanceof ComposedSandbox)) {
    throw new VivariumError('CONFIG_INVALID', {
      what: `Sandbox "${title}" cannot nest in what \`within\` names: it was not opened by this vivarium.`,
      remedy: 'Pass a sandbox that openSandbox() of the same vivarium returned.',
    })
  }
  within.assertOpen(`open sandbox "${title}" within it`)
  return within
}

function nestedConcurrent(title: string, parent: Sandbox): VivariumError {
  return new VivariumError('CONCURRENT_SANDBOX_NESTED', {
    what: `Sandbox "${title}" cannot be both concurrent and nested in "${parent.title}".`,
    remedy:
      "Nested sandboxes of isolation 'transaction' share one database session, so only one of them can run. Leave out " +
      "`within` to get a database of its own, or leave out `concurrent`, or give both isolation: 'database'.",
  })
}

function alreadyOpen(title: string, holder: string, parent: Sandbox | undefined): VivariumError {
  const where = parent === undefined ? 'in this worker' : `within "${parent.title}"`
  return new VivariumError('SANDBOX_ALREADY_OPEN', {
    what: `Sandbox "${title}" cannot open: "${holder}" is already open ${where}.`,
    remedy:
      'Close that one first (await its close()), or open this one with { concurrent: true } and reach it by its own ' +
      'sandbox.postgres.url: the stable URL can follow only one sandbox at a time.',
  })
}
