import type { Duplex } from 'node:stream'
import { now } from '../../core/clock.ts'
import type { CommandTable } from '../commands/command-table.ts'
import { ok, type Plan, type PlanContext, type SendPlan } from '../commands/plan.ts'
import { identify, type KnownCommand, planCommand } from '../commands/planner.ts'
import { isHarmless, isServerWide } from '../commands/server-wide.ts'
import { readDatabase } from '../commands/whole-keyspace.ts'
import type { RedisTarget } from '../connection/target.ts'
import { RedisProtocolError } from '../protocol/protocol-error.ts'
import { type Reply, writeReply } from '../protocol/reply.ts'
import { type Request, RequestParser } from '../protocol/request-parser.ts'
import { writeRequest } from '../protocol/requests.ts'
import { authMalformed, helloNotLoggedIn, type Login, notLoggedIn, readLogin, wrongPassword } from './login.ts'
import { readWhole } from './command-record.ts'
import type { Pending, Transaction } from './pending.ts'
import type { PartConnection, RedisPart } from './redis-part.ts'
import { Replies } from './replies.ts'
import { type ListeningPlace, subscribeWith, subscriptionCommands, Subscriptions } from './subscriptions.ts'
import { Upstream } from './upstream.ts'

/** Where a connection is logged in: it follows the current sandbox, or is pinned to one. */
export type Door = { readonly kind: 'stable' } | { readonly kind: 'pinned'; readonly id: string }

/** What a connection asks of the gateway. */
export interface ConnectionHost {
  readonly table: CommandTable
  readonly target: RedisTarget
  readonly databases: number
  readonly ownsServer: boolean
  /** What stands before the names of all sandboxes. */
  readonly prefix: string
  /** What stands for a sandbox where none is open: nothing is ever there. */
  readonly nobody: ListeningPlace & Pick<PlanContext, 'scripts'>
  /** The sandbox that a door leads to, or the error that a client there is answered with. */
  placeOf(door: Door): RedisPart | string
  /** The door that credentials open. */
  doorOf(login: Login): Door | undefined
  clientIds(part: RedisPart): ReadonlySet<string>
  patterns(part: RedisPart): number
  closed(connection: VirtualConnection): void
}

const refusedName = 'VIVARIUM.REFUSED'

/** One client: its requests in order, rewritten for the sandbox that its URL means; its own connection to the server. */
export class VirtualConnection implements PartConnection {
  clientId: string | undefined
  door: Door | undefined
  readonly number: number
  readonly #client: Duplex
  readonly #host: ConnectionHost
  readonly #upstream: Upstream
  readonly #replies: Replies
  readonly #parser: RequestParser = new RequestParser()
  readonly #subscriptions: Subscriptions
  /** Requests that wait for what has to be done before them. */
  #held: Request[] | undefined
  #database = 0
  #context: (PlanContext & { readonly place: object }) | undefined
  #transaction: Transaction | undefined
  #watching: RedisPart | undefined
  #state: 'open' | 'ending' | 'closed' = 'open'

  constructor(number: number, client: Duplex, host: ConnectionHost) {
    this.number = number
    this.#client = client
    this.#host = host
    this.#subscriptions = new Subscriptions(host.target.database, host.prefix)
    this.#replies = new Replies(this.#subscriptions, {
      write: (bytes) => {
        if (client.writable && !client.write(bytes)) this.#upstream.pause()
      },
    })
    this.#upstream = new Upstream(host.target, {
      onData: (chunk) => this.#fromServer(chunk),
      onDrain: () => void client.resume(),
      onEnd: (reason) => this.#serverEnded(reason),
    })
    client.on('data', (chunk: Buffer) => this.#fromClient(chunk))
    client.on('drain', () => this.#upstream.resume())
    client.on('error', () => client.destroy())
    client.on('end', () => this.end())
    client.on('close', () => this.#clientGone())
  }

  get patternCount(): number {
    return this.#subscriptions.count('pattern')
  }

  get isSubscribed(): boolean {
    return !this.#subscriptions.isEmpty
  }

  runningIn(part: RedisPart): { readonly name: string; readonly blocks: boolean } | undefined {
    const running = this.#replies.running(part)
    return running && { name: running.name.replace('|', ' ').toUpperCase(), blocks: running.blocks === true }
  }

  /** The oldest command that waits for something, in a sandbox other than `part`. */
  blockedOutside(part: RedisPart | undefined): boolean {
    const { head } = this.#replies
    return head?.blocks === true && head.part !== part
  }

  leave(part: RedisPart): void {
    const isPinned = this.door?.kind === 'pinned' && this.door.id === part.id
    const isLeftOpen = this.#transaction?.part === part && this.#state === 'open' && !this.#client.destroyed
    if (isLeftOpen) part.leftOpen(this.number)
    if (this.#replies.running(part) !== undefined) return this.destroy()
    if (isPinned || this.#transaction?.part === part) return this.end()
    if (this.#watching !== part) return
    this.#watching = undefined
    this.#write(writeRequest(['UNWATCH']), { name: '', swallowed: true })
    this.#upstream.flush()
  }

  /** What it listens to goes along when the stable URL leads elsewhere. Resolves when the server has done it. */
  async follow(): Promise<void> {
    const { door } = this
    if (door?.kind !== 'stable' || this.#subscriptions.isEmpty || this.#state !== 'open') return
    const place = this.#listeningPlace()
    if (place === this.#subscriptions.place) return
    const moved: Promise<void>[] = []
    for (const { kind, old, now: names } of this.#subscriptions.move(place)) {
      const [begin, end] = subscribeWith[kind]
      moved.push(
        this.#sendSubscription([end, ...old], old.length),
        this.#sendSubscription([begin, ...names], names.length),
      )
    }
    this.#upstream.flush()
    await Promise.all(moved)
  }

  /** Ends it when the server has finished what it was sent. */
  end(): void {
    if (this.#state !== 'open') return
    this.#state = 'ending'
    this.#client.end()
    this.#upstream.end()
    if (this.#upstream.state === 'unused') this.#closed()
  }

  destroy(): void {
    this.#client.destroy()
    this.#upstream.destroy()
    this.#closed()
  }

  #fromClient(chunk: Buffer): void {
    try {
      this.#parser.push(chunk, (request) => {
        if (this.#held === undefined) this.#take(request)
        else this.#held.push(request)
      })
    } catch (error) {
      if (!(error instanceof RedisProtocolError)) throw error
      this.#answer({ type: '-', text: `ERR ${error.message}` })
      this.end()
    }
    if (!this.#upstream.flush()) this.#client.pause()
  }

  #fromServer(chunk: Buffer): void {
    try {
      this.#replies.read(chunk)
    } catch (error) {
      if (!(error instanceof RedisProtocolError)) throw error
      this.destroy()
    }
  }

  #take(request: Request): void {
    if (this.#state !== 'open') return
    const known = identify(request, this.#host.table)
    if (this.#login(request, known.name)) return
    const { door } = this
    if (door === undefined) return this.#answer(notLoggedIn)
    // What touches no sandbox asks for none: a client that only says that it is there is nobody's.
    if (isHarmless(known.name) || known.name === 'info') {
      if (this.#connectionCommand(request, known, undefined)) return
      return this.#carryOut(planCommand(request, known, this.#contextIn(undefined)), request, known, undefined)
    }
    const place = this.#host.placeOf(door)
    if (typeof place !== 'string' && place.ready !== undefined) return this.#hold(request, place.ready)
    const part = typeof place === 'string' ? undefined : place
    if (this.#connectionCommand(request, known, part)) return
    if (part === undefined && !isServerWide(known.name)) return this.#answer({ type: '-', text: place as string })
    const plan = planCommand(request, known, this.#contextIn(part))
    this.#carryOut(plan, request, known, part)
  }

  /** Goes on with the requests when `ready` is settled, whatever has become of it. */
  #hold(request: Request, ready: Promise<void>): void {
    this.#held = [request]
    this.#client.pause()
    const goOn = (): void => {
      const held = this.#held ?? []
      this.#held = undefined
      this.#client.resume()
      for (const [index, one] of held.entries()) {
        this.#take(one)
        // It was held again, for another sandbox.
        const holding = this.#held as Request[] | undefined
        if (holding === undefined) continue
        holding.push(...held.slice(index + 1))
        break
      }
      this.#upstream.flush()
    }
    ready.then(goOn, goOn)
  }

  /** The same one as long as nothing has changed: most commands follow one in the same place. */
  #contextIn(part: RedisPart | undefined): PlanContext {
    const place = part ?? this.#host.nobody
    const keyPrefix = place.keyPrefix(this.#database)
    if (this.#context?.place === place && this.#context.keyPrefix === keyPrefix) return this.#context
    const { databases, ownsServer } = this.#host
    this.#context = {
      place,
      keyPrefix,
      channelPrefix: place.channelPrefix,
      prefix: place.prefix,
      databases,
      ownsServer,
      keyPrefixOf: (database) => place.keyPrefix(database),
      scripts: place.scripts,
      clientIds: () =>
        part === undefined ? new Set(this.clientId === undefined ? [] : [this.clientId]) : this.#host.clientIds(part),
      patterns: () => (part === undefined ? 0 : this.#host.patterns(part)),
    }
    return this.#context
  }

  #carryOut(plan: Plan, request: Request, known: KnownCommand, part: RedisPart | undefined): void {
    switch (plan.kind) {
      case 'send':
        return this.#send(plan, request, known, part)
      case 'answer':
        return this.#answer(plan.reply)
      case 'refuse':
        return this.#refuse(known.name, plan.why)
    }
  }

  #send(plan: SendPlan, request: Request, known: KnownCommand, part: RedisPart | undefined): void {
    const { name, facts } = known
    const transaction = this.#transaction
    if (part !== undefined && (facts?.writes === true || plan.writesUnknown === true)) {
      part.writes(part.keyPrefix(this.#database), plan.keys, plan.writesUnknown === true)
    }
    if (name === 'watch') this.#watching = part
    const isRecorded = part !== undefined && facts !== undefined && !isServerWide(name)
    this.#write(writeRequest(plan.request), {
      name,
      part,
      blocks: plan.blocks === true && transaction === undefined,
      reply: plan.reply,
      error: plan.error,
      whole: readWhole.has(name),
      transaction,
      draft: isRecorded
        ? {
            name,
            request,
            keys: plan.keys,
            facts,
            connection: this.number,
            transaction: transaction?.number,
            sentAt: now(),
            at: part.owner.elapsed(),
          }
        : undefined,
    })
  }

  #refuse(name: string, why: string): void {
    const shown = name.replace('|', ' ').toUpperCase()
    const text = `ERR Vivarium refuses ${shown} in a sandbox: ${why}. Run what needs it against a server of its own.`
    if (this.#transaction === undefined) return this.#answer({ type: '-', text })
    // The server refuses it, too, so that EXEC fails as it does after a command that could not be queued.
    this.#write(writeRequest([refusedName]), { name, transaction: this.#transaction, error: () => text, whole: true })
  }

  /** Replies without asking the server; inside MULTI with EXEC, as the server would. */
  #answer(reply: Reply): void {
    const transaction = this.#transaction
    if (transaction === undefined) return this.#replies.add({ name: '', local: writeReply(reply) })
    this.#write(writeRequest(['PING']), { name: '', transaction, reply: () => reply })
  }

  #sendSubscription(request: readonly (Buffer | string)[], confirmations: number): Promise<void> {
    return new Promise((resolve) => {
      this.#write(writeRequest(request), { name: '', swallowed: true, confirmations, told: () => resolve() })
    })
  }

  #write(bytes: Buffer, pending: Pending): void {
    if (this.#upstream.state === 'unused') this.#logInAtServer()
    // What is dropped gets no reply, and whoever waits for one is told so.
    if (this.#upstream.state !== 'open') return pending.told?.(undefined)
    this.#upstream.write(bytes)
    this.#replies.add(pending)
  }

  #logInAtServer(): void {
    if (this.#upstream.state === 'unused') this.#upstream.open()
    for (const request of this.#upstream.loginRequests) {
      this.#upstream.write(request)
      const told = (reply: Reply | undefined): void => {
        if (reply?.type === ':') this.clientId = reply.text
        else if (reply?.type === '-') this.#serverEnded(`it refused the login: ${reply.text}`)
      }
      this.#replies.add({ name: '', swallowed: true, whole: true, told })
    }
  }

  /** AUTH and HELLO; `false` when it is neither. */
  #login(request: Request, name: string): boolean {
    const asked = readLogin(request, name)
    if (asked === undefined) return false
    const { login, rest } = asked
    if (login === undefined && rest === undefined) this.#answer(authMalformed)
    else if (login !== undefined && !this.#enter(login)) this.#answer(wrongPassword)
    else if (rest === undefined) this.#answer(ok)
    else if (this.door === undefined) this.#answer(helloNotLoggedIn)
    else this.#write(writeRequest(rest), { name, transaction: this.#transaction })
    return true
  }

  #enter(login: Login): boolean {
    const door = this.#host.doorOf(login)
    if (door !== undefined) this.door = door
    return door !== undefined
  }

  /** What changes the connection itself; `false` when it is something else. */
  #connectionCommand(request: Request, { name }: KnownCommand, part: RedisPart | undefined): boolean {
    const transaction = this.#transaction
    const sendAs = (more: Partial<Pending> = {}): true => {
      this.#write(writeRequest(request), { name, part, transaction, ...more })
      return true
    }
    switch (name) {
      case 'multi':
        if (transaction !== undefined) return sendAs()
        if (part !== undefined) part.transactions++
        sendAs()
        this.#transaction = { part, number: part?.transactions, database: this.#database, queued: [] }
        return true
      case 'exec':
      case 'discard':
        if (name === 'discard' && transaction !== undefined) this.#database = transaction.database
        this.#transaction = undefined
        this.#watching = undefined
        return sendAs({ transaction: undefined, ...(name === 'exec' && { executes: transaction, whole: true }) })
      case 'unwatch':
        if (transaction === undefined) this.#watching = undefined
        return sendAs()
      case 'quit':
        return sendAs({ transaction: undefined, told: () => this.end() })
      case 'reset':
        return this.#reset(request)
      case 'select':
        return this.#select(request)
      case 'swapdb':
        return part !== undefined && this.#swap(request, part)
      default:
        return Object.hasOwn(subscriptionCommands, name) && this.#subscribe(request, name)
    }
  }

  #reset(request: Request): true {
    this.#write(writeRequest(request), { name: 'reset' })
    this.#transaction = undefined
    this.#watching = undefined
    this.#database = 0
    this.#subscriptions.clear()
    this.door = undefined
    this.#logInAtServer()
    return true
  }

  #select(request: Request): boolean {
    if (request.length !== 2) return false
    const database = readDatabase(request[1]!, this.#host.databases)
    if (typeof database === 'string') this.#answer({ type: '-', text: database })
    else {
      this.#answer(ok)
      this.#database = database
    }
    return true
  }

  #swap(request: Request, part: RedisPart): boolean {
    if (request.length !== 3) return false
    const { databases } = this.#host
    const one = readDatabase(request[1]!, databases, 'ERR invalid first DB index')
    const other = readDatabase(request[2]!, databases, 'ERR invalid second DB index')
    if (this.#transaction !== undefined) this.#refuse('swapdb', 'it is not possible inside of MULTI')
    else if (typeof one === 'string') this.#answer({ type: '-', text: one })
    else if (typeof other === 'string') this.#answer({ type: '-', text: other })
    else {
      part.swap(one, other)
      this.#answer(ok)
    }
    return true
  }

  #listeningPlace(): ListeningPlace {
    const place = this.door === undefined ? '' : this.#host.placeOf(this.door)
    return typeof place === 'string' ? this.#host.nobody : place
  }

  #subscribe(request: Request, name: string): boolean {
    const { kind, begins } = subscriptionCommands[name]!
    if (this.#transaction !== undefined) {
      this.#refuse(name, 'it is not possible inside of MULTI')
      return true
    }
    const names = request.slice(1)
    if (begins && names.length === 0) {
      this.#write(writeRequest(request), { name })
      return true
    }
    void this.follow()
    const confirmations = begins || names.length > 0 ? names.length : Math.max(1, this.#subscriptions.count(kind))
    const real = begins
      ? this.#subscriptions.add(kind, names, this.#listeningPlace())
      : this.#subscriptions.realNames(kind, names)
    this.#write(writeRequest([request[0]!, ...real]), { name, confirmations })
    return true
  }

  #serverEnded(reason: string | undefined): void {
    if (this.#state === 'open' && reason !== undefined && this.#client.writable) {
      this.#client.write(writeReply({ type: '-', text: `ERR Vivarium lost the Redis server: ${reason}` }))
    }
    this.#client.end()
    this.#upstream.destroy()
    this.#closed()
  }

  #clientGone(): void {
    if (this.#upstream.state === 'open') this.#upstream.end()
    else if (this.#upstream.state === 'unused') this.#closed()
  }

  #closed(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#replies.abandon()
    this.#host.closed(this)
  }
}
