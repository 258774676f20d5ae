import type { Duplex } from 'node:stream'
import { now } from '../../core/clock.ts'
import { type CommandIndex, findPlaces, type KnownCommand, readWhole } from '../commands/command-index.ts'
import { ok, type PlanContext, type SendPlan } from '../commands/plan.ts'
import { planCommand } from '../commands/planner.ts'
import { readDatabase } from '../commands/whole-keyspace.ts'
import type { RedisTarget } from '../connection/target.ts'
import { RedisProtocolError } from '../protocol/protocol-error.ts'
import { RawRequest } from '../protocol/raw-request.ts'
import { writeReply } from '../protocol/reply.ts'
import { type Request, RequestParser } from '../protocol/request-parser.ts'
import { writeRequest } from '../protocol/requests.ts'
import {
  authMalformed,
  helloNotLoggedIn,
  isLogin,
  type Login,
  noTls,
  notLoggedIn,
  readLogin,
  wrongPassword,
} from './login.ts'
import { CommandFaults } from './command-faults.ts'
import { type CommandDraft, UnreadCommand } from './command-record.ts'
import { Listening } from './listening.ts'
import { Outlet } from './outlet.ts'
import type { Pending } from './pending.ts'
import type { PartConnection, RedisPart } from './redis-part.ts'
import { type ListeningPlace, subscriptionCommands, Subscriptions } from './subscriptions.ts'
import { Unblocking } from './unblocking.ts'

/** Where a connection is logged in: it follows the current sandbox, or is pinned to one. */
export type Door = { readonly kind: 'stable' } | { readonly kind: 'pinned'; readonly id: string }

/** What a connection asks of the gateway. */
export interface ConnectionHost {
  readonly commands: CommandIndex
  readonly target: RedisTarget
  readonly databases: number
  readonly ownsServer: boolean
  /** What stands before the names of all sandboxes. */
  readonly prefix: string
  /** What stands for a sandbox where none is open: nothing is ever there. */
  readonly nobody: ListeningPlace & Pick<PlanContext, 'scripts'>
  /** The sandbox that a door leads to, or the error that a client there is answered with. */
  placeOf(door: Door): RedisPart | string
  /** The sandbox that a door leads to, if it has used Redis. */
  leadsTo(door: Door): RedisPart | undefined
  /** Where a client at a door that subscribes to something listens, or the error that it is answered with. */
  listeningPlaceOf(door: Door): ListeningPlace | string
  /** The door that credentials open. */
  doorOf(login: Login): Door | undefined
  clientIds(part: RedisPart): ReadonlySet<string>
  patterns(part: RedisPart): number
  /** Ends what the server's connection of this number waits for there; whether it was waiting. */
  unblock(clientId: string): Promise<boolean>
  closed(connection: VirtualConnection): void
}

/** What asks for no sandbox, beside what touches nothing that belongs to anybody. */
const ofNobody: ReadonlySet<string> = new Set(['info', 'quit', 'reset'])
/** What changes the connection alone, and is done also where no sandbox is open. */
const ofConnection: ReadonlySet<string> = new Set(['multi', 'exec', 'discard'])

/** One client: its requests in order, rewritten for the sandbox that its URL means; its own connection to the server. */
export class VirtualConnection implements PartConnection {
  clientId: string | undefined
  door: Door | undefined
  readonly number: number
  readonly #client: Duplex
  readonly #host: ConnectionHost
  readonly #outlet: Outlet
  readonly #parser: RequestParser = new RequestParser()
  readonly #subscriptions: Subscriptions
  readonly #listening: Listening
  readonly #unblocking: Unblocking
  readonly #places: number[] = []
  /** When what is being taken came, and how long a sandbox was open then. */
  #now = 0
  #elapsed = 0
  #elapsedIn: RedisPart | undefined
  /** Requests that wait for what has to be done before them. */
  #held: Request[] | undefined
  #database = 0
  #context: (PlanContext & { readonly place: object }) | undefined
  #watching: RedisPart | undefined
  /** Breaks commands, once one was to be broken. */
  #faults: CommandFaults | undefined
  #state: 'open' | 'ending' | 'closed' = 'open'

  constructor(number: number, client: Duplex, host: ConnectionHost) {
    this.number = number
    this.#client = client
    this.#host = host
    this.#subscriptions = new Subscriptions(host.target.database, host.prefix)
    this.#outlet = new Outlet(host.target, this.#subscriptions, {
      write: (bytes) => {
        if (client.writable && !client.write(bytes)) this.#outlet.upstream.pause()
      },
      onDone: (pending) => this.#unblocking.done(pending),
      onData: (chunk) => this.#fromServer(chunk),
      onDrain: () => void client.resume(),
      onEnd: (reason) => this.#serverEnded(reason),
      onClientId: (id) => {
        this.clientId = id
      },
    })
    this.#listening = new Listening(this.#subscriptions, this.#outlet)
    // It has a number when something of it can wait: that was its first reply.
    this.#unblocking = new Unblocking(this.#outlet.replies, () => host.unblock(this.clientId ?? ''))
    client.on('data', (chunk: Buffer) => this.#fromClient(chunk))
    client.on('drain', () => this.#outlet.upstream.resume())
    client.on('error', () => client.destroy())
    client.on('end', () => this.end())
    client.on('close', () => this.#clientGone())
  }

  get patternCount(): number {
    return this.#subscriptions.count('pattern')
  }

  /** It listens to something, or may wait for something. */
  get isTied(): boolean {
    return !this.#subscriptions.isEmpty || this.#outlet.replies.mayWait
  }

  runningIn(part: RedisPart): string | undefined {
    return this.#outlet.replies.running(part)?.name.replace('|', ' ').toUpperCase()
  }

  unblockIn(part: RedisPart): void {
    void this.#unblocking.begin((pending) => pending.part === part)
  }

  /**
   * The stable URL leads elsewhere: what this listens to goes along, and what it waits for there is told that nothing came. Resolves
   * when the server has done it; `undefined` when there is nothing to do.
   */
  follow(place: ListeningPlace): Promise<unknown> | undefined {
    if (this.#state !== 'open') return undefined
    const unblocked = this.#unblocking.begin(({ part }) => part !== place)
    const moved = this.#listening.isOutside(place) ? this.#listening.move(place) : undefined
    return unblocked === undefined || moved === undefined ? (unblocked ?? moved) : Promise.all([unblocked, moved])
  }

  leave(part: RedisPart): void {
    const isPinned = this.door?.kind === 'pinned' && this.door.id === part.id
    const isLeftOpen = this.#outlet.transaction?.part === part && this.#state === 'open' && !this.#client.destroyed
    if (isLeftOpen) part.leftOpen(this.number)
    if (this.#outlet.replies.running(part) !== undefined) return this.destroy()
    if (isPinned || this.#outlet.transaction?.part === part) return this.end()
    if (this.#watching !== part) return
    this.#watching = undefined
    this.#outlet.write(writeRequest(['UNWATCH']), { name: '', swallowed: true })
    this.#outlet.upstream.flush()
  }

  /** Ends it when the server has finished what it was sent. */
  end(): void {
    if (this.#state !== 'open') return
    this.#state = 'ending'
    this.#client.end()
    this.#outlet.upstream.end()
    if (this.#outlet.upstream.state === 'unused') this.#closed()
  }

  destroy(): void {
    this.#client.destroy()
    this.#outlet.upstream.destroy()
    this.#closed()
  }

  #fromClient(chunk: Buffer): void {
    // The first bytes of TLS: a client that waits for an answer to them gets one that it can tell is none.
    if (this.#state === 'open' && chunk[0] === 0x16 && chunk[1] === 0x03 && this.door === undefined) {
      this.#outlet.answer(noTls)
      return this.end()
    }
    try {
      this.#timed()
      this.#parser.push(chunk, this.#onRequest)
    } catch (error) {
      if (!(error instanceof RedisProtocolError)) throw error
      this.#outlet.answer({ type: '-', text: `ERR ${error.message}` })
      this.end()
    }
    if (!this.#outlet.upstream.flush()) this.#client.pause()
  }

  readonly #onRequest = (raw: RawRequest): void => {
    if (this.#held === undefined) this.#take(raw)
    else this.#held.push(raw.takeApart())
  }

  /** All commands that are taken together have the same time. */
  #timed(): void {
    this.#now = now()
    this.#elapsedIn = undefined
  }

  #fromServer(chunk: Buffer): void {
    try {
      this.#outlet.replies.read(chunk)
    } catch (error) {
      if (!(error instanceof RedisProtocolError)) throw error
      this.destroy()
    }
  }

  /** Every command comes by here; `raw` is good until this returns. */
  #take(raw: RawRequest): void {
    if (this.#state !== 'open') return
    if (this.#unblocking.ended !== undefined) return this.#hold(raw, this.#unblocking.ended)
    const known = this.#host.commands.identify(raw)
    if (isLogin(known.name)) return this.#login(raw.takeApart(), known.name)
    const { door } = this
    if (door === undefined) return this.#outlet.answer(notLoggedIn)
    if (Object.hasOwn(subscriptionCommands, known.name)) return this.#listen(raw.takeApart(), known.name, door)
    // What touches no sandbox asks for none: a client that only says that it is there is nobody's.
    if (known.isHarmless || ofNobody.has(known.name)) return this.#carryOut(raw.takeApart(), known, undefined)
    // It asks for nothing that could be mixed up, and is answered also while the stable URL is refused.
    if (known.name === 'config|get') return this.#carryOut(raw.takeApart(), known, this.#host.leadsTo(door))
    const place = this.#host.placeOf(door)
    if (typeof place !== 'string') {
      if (place.ready !== undefined) return this.#hold(raw, place.ready)
      if (place.owner.recorder.faults.awaits('redis')) return this.#carryOutOrBreak(raw.takeApart(), known, place)
      if (this.#sendAtOnce(raw, known, place)) return
      return this.#carryOut(raw.takeApart(), known, place)
    }
    const request = raw.takeApart()
    if (known.isServerWide || ofConnection.has(known.name)) return this.#carryOut(request, known, undefined)
    this.#outlet.answer({ type: '-', text: place })
  }

  /** What nearly all commands are: prefixes are put before the keys as its bytes are copied. `false` when it is something else. */
  #sendAtOnce(raw: RawRequest, known: KnownCommand, part: RedisPart): boolean {
    const { facts, places } = known
    if (places === undefined || this.#outlet.transaction !== undefined) return false
    const found = findPlaces(places, raw.count, this.#places)
    if (found === undefined) return false
    if (this.#elapsedIn !== part) {
      this.#elapsedIn = part
      this.#elapsed = part.owner.elapsed()
    }
    const keyPrefix = part.keyPrefix(this.#database)
    this.#outlet.writeWithPrefix(raw, found, keyPrefix, facts?.writes === true ? part : undefined, {
      name: known.name,
      part,
      unread: new UnreadCommand(known, raw, this.number, this.#now, this.#elapsed),
    })
    return true
  }

  /** Goes on with the requests when `ready` is settled, whatever has become of it. */
  #hold(raw: RawRequest, ready: Promise<void>): void {
    this.#held = [raw.takeApart()]
    this.#client.pause()
    const goOn = (): void => {
      const held = this.#held ?? []
      this.#held = undefined
      this.#client.resume()
      this.#timed()
      for (const [index, one] of held.entries()) {
        this.#take(RawRequest.of(one))
        // It was held again, for another sandbox.
        const holding = this.#held as Request[] | undefined
        if (holding === undefined) continue
        holding.push(...held.slice(index + 1))
        break
      }
      this.#outlet.upstream.flush()
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
      events: place.events,
      clientIds: () =>
        part === undefined ? new Set(this.clientId === undefined ? [] : [this.clientId]) : this.#host.clientIds(part),
      patterns: () => (part === undefined ? 0 : this.#host.patterns(part)),
    }
    return this.#context
  }

  #carryOutOrBreak(request: Request, known: KnownCommand, part: RedisPart): void {
    this.#faults ??= new CommandFaults({
      outlet: this.#outlet,
      draftOf: (one, command, place) => {
        const plan = planCommand(one, command, this.#contextIn(place))
        return this.#draft(one, command, place, plan.kind === 'send' ? plan.keys : [])
      },
      carryOut: (...command) => this.#carryOut(...command),
      takeNoMore: () => void (this.#held ??= []),
      destroy: () => this.destroy(),
    })
    if (!this.#faults.takes(request, known, part)) this.#carryOut(request, known, part)
  }

  #draft(request: Request, { name, facts }: KnownCommand, part: RedisPart, keys: readonly Buffer[]): CommandDraft {
    const [transaction, at] = [this.#outlet.transaction?.number, part.owner.elapsed()]
    return { name, request, keys, facts, connection: this.number, transaction, sentAt: this.#now, at }
  }

  #carryOut(request: Request, known: KnownCommand, part: RedisPart | undefined): void {
    if (this.#connectionCommand(request, known, part)) return
    const plan = planCommand(request, known, this.#contextIn(part))
    switch (plan.kind) {
      case 'send':
        return this.#send(plan, request, known, part)
      case 'answer':
        return this.#outlet.answer(plan.reply)
      case 'refuse':
        return this.#outlet.refuse(known.name, plan.why)
    }
  }

  #send(plan: SendPlan, request: Request, known: KnownCommand, part: RedisPart | undefined): void {
    const { name, facts } = known
    const transaction = this.#outlet.transaction
    if (part !== undefined && (facts?.writes === true || plan.writesUnknown === true)) {
      part.writes(part.keyPrefix(this.#database), plan.keys, plan.writesUnknown === true)
    }
    if (name === 'watch') this.#watching = part
    const isRecorded = part !== undefined && facts !== undefined && !known.isServerWide
    this.#outlet.write(writeRequest(plan.request), {
      name,
      part,
      blocks: plan.blocks === true && transaction === undefined,
      reply: plan.reply,
      error: plan.error,
      whole: readWhole.has(name),
      transaction,
      draft: isRecorded ? this.#draft(request, known, part, plan.keys) : undefined,
    })
  }

  /** AUTH and HELLO. */
  #login(request: Request, name: string): void {
    const { login, rest } = readLogin(request, name)
    if (login === undefined && rest === undefined) this.#outlet.answer(authMalformed)
    else if (login !== undefined && !this.#enter(login)) this.#outlet.answer(wrongPassword)
    else if (rest === undefined) this.#outlet.answer(ok)
    else if (this.door === undefined) this.#outlet.answer(helloNotLoggedIn)
    else this.#outlet.write(writeRequest(rest), { name, transaction: this.#outlet.transaction })
  }

  #enter(login: Login): boolean {
    const door = this.#host.doorOf(login)
    if (door !== undefined) this.door = door
    return door !== undefined
  }

  /** What changes the connection itself; `false` when it is something else. */
  #connectionCommand(request: Request, { name }: KnownCommand, part: RedisPart | undefined): boolean {
    const transaction = this.#outlet.transaction
    const sendAs = (more: Partial<Pending> = {}): true => {
      this.#outlet.write(writeRequest(request), { name, part, transaction, ...more })
      return true
    }
    switch (name) {
      case 'multi':
        if (transaction !== undefined) return sendAs()
        if (part !== undefined) part.transactions++
        sendAs()
        this.#outlet.transaction = { part, number: part?.transactions, database: this.#database, queued: [] }
        return true
      case 'exec':
      case 'discard':
        if (name === 'discard' && transaction !== undefined) this.#database = transaction.database
        this.#outlet.transaction = undefined
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
        return false
    }
  }

  #listen(request: Request, name: string, door: Door): void {
    if (!subscriptionCommands[name]!.begins) return this.#listening.end(request, name)
    const place = this.#host.listeningPlaceOf(door)
    if (typeof place === 'string') this.#outlet.answer({ type: '-', text: place })
    else this.#listening.begin(request, name, place)
  }

  #reset(request: Request): true {
    this.#outlet.write(writeRequest(request), { name: 'reset' })
    this.#outlet.transaction = undefined
    this.#watching = undefined
    this.#database = 0
    this.#subscriptions.clear()
    this.door = undefined
    this.#outlet.logIn()
    return true
  }

  #select(request: Request): boolean {
    if (request.length !== 2) return false
    const database = readDatabase(request[1]!, this.#host.databases)
    if (typeof database === 'string') this.#outlet.answer({ type: '-', text: database })
    else {
      this.#outlet.answer(ok)
      this.#database = database
    }
    return true
  }

  #swap(request: Request, part: RedisPart): boolean {
    if (request.length !== 3) return false
    const { databases } = this.#host
    const one = readDatabase(request[1]!, databases, 'ERR invalid first DB index')
    const other = readDatabase(request[2]!, databases, 'ERR invalid second DB index')
    if (this.#outlet.transaction !== undefined) this.#outlet.refuse('swapdb', 'it is not possible inside of MULTI')
    else if (typeof one === 'string') this.#outlet.answer({ type: '-', text: one })
    else if (typeof other === 'string') this.#outlet.answer({ type: '-', text: other })
    else {
      part.swap(one, other)
      this.#outlet.answer(ok)
    }
    return true
  }

  #serverEnded(reason: string | undefined): void {
    if (this.#state === 'open' && reason !== undefined && this.#client.writable) {
      this.#client.write(writeReply({ type: '-', text: `ERR Vivarium lost the Redis server: ${reason}` }))
    }
    this.#client.end()
    this.#outlet.upstream.destroy()
    this.#closed()
  }

  #clientGone(): void {
    this.#faults?.clientGone()
    if (this.#outlet.upstream.state === 'open') this.#outlet.upstream.end()
    else if (this.#outlet.upstream.state === 'unused') this.#closed()
  }

  #closed(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#outlet.replies.abandon()
    this.#host.closed(this)
  }
}
