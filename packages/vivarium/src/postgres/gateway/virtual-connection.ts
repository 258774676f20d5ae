import { randomInt } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { PostgresServerError } from '../connection/server-error.ts'
import {
  authenticationCleartext,
  authenticationOk,
  encodeBackendKeyData,
  encodeNegotiateProtocolVersion,
  encodeParameterStatus,
  readCString,
  readyForQuery,
} from '../protocol/backend.ts'
import { describeType, ProtocolViolation } from '../protocol/frame-reader.ts'
import { Frontend } from '../protocol/message-types.ts'
import { encodeOwnMessage, type OwnMessage } from '../protocol/server-message.ts'
import { ownApplicationName } from '../connection/client.ts'
import { ClientInput } from './client-input.ts'
import { ClientOutput } from './client-output.ts'
import type { ClientPath } from './client-path.ts'
import { ClientNames } from './client-names.ts'
import { type ConnectionState, initialState, statusByte } from './connection-state.ts'
import type { DatabaseWorld } from './database-world.ts'
import { type DirectClient, DirectPath } from './direct-path.ts'
import type { Frame } from './extended-protocol.ts'
import { type FaultedConnection, type FaultedSandbox, FaultStage } from './fault-stage.ts'
import type { ReplySink } from './reply.ts'
import type { SessionLeftovers } from './session-leftovers.ts'
import { sameText } from './same-text.ts'
import { guardSetting, isReadOnlyByDefault, noSettings, type Settings } from './settings.ts'
import { type LoginReports, startupSettings } from './startup-settings.ts'
import { StartupReader, type StartupRequest } from './startup.ts'
import type { StatementTexts } from './statement-texts.ts'
import type { Activity, TurnTaker } from './scheduler.ts'
import { ToldSettings } from './told-settings.ts'
import type { UnitOwner } from './unit-owner.ts'
import { UnitRunner } from './unit-runner.ts'
import type { World } from './world.ts'

/** What a virtual connection asks of its gateway. */
export interface GatewayHost {
  readonly texts: StatementTexts
  readonly password: string
  readonly user: string
  /** What logins are answered with, once the first session is there. */
  readonly logins: Promise<{ readonly processId: number; readonly reports: LoginReports }>
  /** The world that a database name of a URL leads to just now, or why there is none. */
  worldFor(database: string): World | OwnMessage
  /** The same, where the sandbox is one of isolation `'database'`. */
  databaseFor(database: string): DatabaseWorld | undefined
  /** The sandbox of a connection's next statement, where one of its statements is still to be broken. */
  faultedFor(connection: Pick<VirtualConnection, 'database' | 'isOwn'>): FaultedSandbox | undefined
  /** Whether a URL with this database name was ever given out. */
  knowsDatabase(database: string): boolean
  /** Resolves when the server has been told, where a server of its own is to be told. */
  cancel(processId: number, secretKey: number): Promise<void> | undefined
  closed(connection: VirtualConnection): void
}

type Phase = 'startup' | 'password' | 'login' | 'ready' | 'closed'

/** Bytes of a blocked client that are kept before its stream is paused. */
const backlogLimit = 1 << 20

/** One client of the gateway: its stream, its login, and the order of its units. */
export class VirtualConnection implements ReplySink, UnitOwner, TurnTaker, DirectClient, FaultedConnection {
  readonly id: number
  readonly secretKey: number = randomInt(1, 2 ** 31 - 1)
  readonly names: ClientNames
  readonly texts: StatementTexts
  isOwn = false
  state: ConnectionState = initialState
  readonly leavesIn: Set<SessionLeftovers> = new Set()
  initialSettings: Settings = noSettings
  /** Database name of its URL: which sandbox it belongs to. */
  database = ''
  readonly units: UnitRunner
  /** Its way to a real connection, once it has needed one. */
  #direct: DirectPath | undefined
  /** Chosen between units, by the sandbox that the next one belongs to. */
  #path: ClientPath
  readonly mayNest: boolean = true
  readonly #host: GatewayHost
  readonly #stream: Duplex
  readonly #startup = new StartupReader()
  readonly #input = new ClientInput()
  readonly #told = new ToldSettings()
  #phase: Phase = 'startup'
  #parameters: ReadonlyMap<string, string> = new Map()
  readonly #output: ClientOutput
  #isPumping = false
  /** Where its messages wait while there are faults to inject. */
  readonly #faults: FaultStage

  constructor(id: number, stream: Duplex, host: GatewayHost) {
    this.id = id
    this.#stream = stream
    this.#output = new ClientOutput(stream)
    this.#faults = new FaultStage(this)
    this.#host = host
    this.texts = host.texts
    this.names = new ClientNames(id)
    this.units = new UnitRunner(this)
    this.#path = this.units
    stream.on('data', (chunk: Buffer) => this.#receive(chunk))
    stream.on('error', () => this.#vanish())
    stream.on('close', () => this.#vanish())
    stream.on('end', () => this.#vanish())
    stream.on('drain', () => this.#path.clientDrained())
  }

  get isClosed(): boolean {
    return this.#phase === 'closed'
  }

  worldNow(): World | OwnMessage {
    return this.#host.worldFor(this.database)
  }

  // What the session says to the client.

  write(bytes: Buffer): void {
    this.#output.write(bytes)
  }

  flush(): void {
    if (this.#phase === 'closed') this.#output.drop()
    else if (!this.#output.flush()) this.#path.clientIsFull()
  }

  // What a fault does to it.

  loseAfter(unheardUnits: number, lost?: () => void): void {
    this.#output.mute(this.#path.unanswered, unheardUnits, () => {
      lost?.()
      this.destroy()
    })
  }

  answerNoMore(): void {
    this.#output.mute(this.#path.unanswered, Number.POSITIVE_INFINITY, () => undefined)
  }

  parameterStatus(name: string, value: string): boolean {
    // What the server says of this one is about our guard; see `dueReports`.
    if (name === guardSetting || !this.noteReport(name, value)) return false
    return !this.units.holdReport(encodeParameterStatus(name, value))
  }

  noteReport(name: string, value: string): boolean {
    return this.#told.note(name, value)
  }

  dueReports(reported: ReadonlyMap<string, string>): readonly Buffer[] {
    return this.#told.due(reported, isReadOnlyByDefault(this.state.settings))
  }

  say(bytes: Buffer): void {
    this.write(bytes)
    this.flush()
  }

  // Its turn at the session.

  granted(): void {
    this.units.granted()
    this.pump()
  }

  expired(blocker: TurnTaker, waitMs: number): void {
    this.units.expired(blocker as VirtualConnection, waitMs)
    this.pump()
  }

  get activity(): Activity {
    return this.units.activity
  }

  forget(what: 'statements' | 'session'): void {
    this.units.dropLater(this.names.forgetStatements())
    if (what === 'session') this.names.forgetCursors()
  }

  terminateItself(): void {
    this.terminate({
      code: '57P01',
      message: 'terminating connection due to administrator command',
      file: 'postgres.c',
      routine: 'ProcessInterrupts',
    })
  }

  transactionBegan(text: string): void {
    this.units.transactionText = text
  }

  /** Ends the connection as an administrator would: an error that no client takes for an answer, then the end. */
  terminate(message: OwnMessage): void {
    if (this.#phase === 'closed') return
    this.#output.unmute()
    this.write(encodeOwnMessage({ ...message, severity: 'FATAL' }))
    this.flush()
    this.#stream.end()
    this.#vanish()
  }

  hangUp(): void {
    if (this.#phase === 'closed') return
    this.flush()
    this.#stream.end()
    this.#vanish()
  }

  get startupParameters(): ReadonlyMap<string, string> {
    return this.#parameters
  }

  /** Asks for the end of what runs here; resolves when a server of its own has been told. */
  cancel(): Promise<void> | undefined {
    return this.#faults.cancel() ? undefined : this.#path.cancel()
  }

  /** Takes the client's messages, one after the other, as far as they may be taken now. */
  pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    try {
      while (this.#phase === 'ready') {
        if (this.#path.isBlocked) break
        const held = this.#path.heldType
        const released = held === undefined ? this.#faults.next() : undefined
        if (released !== undefined) {
          this.#pass(released)
          continue
        }
        if (held === undefined && this.#faults.withholds) break
        const type = held ?? this.#input.next()
        if (type === 0) break
        this.#take(type)
      }
    } catch (error) {
      this.#violated(error)
    } finally {
      this.#isPumping = false
    }
    this.#path.flush()
    this.#regulate()
  }

  #take(type: number): void {
    if (type === Frontend.terminate) {
      this.#stream.end()
      this.#vanish()
      return
    }
    const frame = this.#input.frame(type)
    if (this.#path.heldType !== undefined || !this.#faults.takes(frame, this.#host.faultedFor(this))) this.#pass(frame)
  }

  #pass(frame: Frame): void {
    this.#choosePath()
    this.#path.take(frame)
  }

  #choosePath(): void {
    if (!this.#path.isBetweenUnits) return
    const world = this.#host.databaseFor(this.database)
    if (world !== undefined) {
      this.#direct ??= new DirectPath(this)
      this.#direct.enter(world)
      this.#path = this.#direct
    } else if (this.#path !== this.units) {
      this.#direct?.leave()
      this.#path = this.units
    }
  }

  /** Its URL leads to another sandbox now: one that listens is taken there at once, since no unit of its own may come. */
  async sandboxChanged(): Promise<void> {
    if (this.#phase === 'ready' && this.#direct?.listens === true) await this.#connectDirectly()
  }

  /** Resolves to the process id of its own backend, or to why there is none where there should be. */
  async #connectDirectly(): Promise<number | OwnMessage | undefined> {
    this.#choosePath()
    const world = this.#host.databaseFor(this.database)
    return world === undefined || this.#path !== this.#direct ? undefined : this.#direct?.connect(world)
  }

  #receive(chunk: Buffer): void {
    if (this.#phase === 'closed') return
    if (this.#phase === 'startup') {
      this.#startup.push(chunk)
      try {
        this.#takeStartup()
      } catch (error) {
        this.#violated(error)
      }
      return
    }
    this.#input.push(chunk)
    if (this.#phase === 'password') this.#takePassword()
    else this.pump()
  }

  /** Pauses a client that sends much more than is being taken. */
  #regulate(): void {
    if (this.#phase !== 'ready') return
    if (this.#input.length > backlogLimit || this.#path.serverIsFull) {
      this.#stream.pause()
      if (this.#path.serverIsFull) this.#path.onceServerDrained(() => this.pump())
    } else if (this.#stream.isPaused()) this.#stream.resume()
  }

  #violated(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    const isProtocol = error instanceof ProtocolViolation || error instanceof RangeError
    const protocolCode = error instanceof ProtocolViolation ? error.code : '08P01'
    this.terminate({
      code: isProtocol ? protocolCode : 'XX000',
      message: isProtocol ? message : `internal error of the gateway: ${message}`,
      hint: isProtocol ? 'The client sent bytes that are not the Postgres protocol.' : undefined,
    })
  }

  #takeStartup(): void {
    for (;;) {
      const request = this.#startup.take()
      if (request === undefined) return
      if (request.kind === 'encryption') this.say(Buffer.from('N'))
      else if (request.kind === 'cancel') {
        void this.#passCancel(request)
        return
      } else {
        this.#askPassword(request)
        return
      }
    }
  }

  async #passCancel({ processId, secretKey }: Extract<StartupRequest, { kind: 'cancel' }>): Promise<void> {
    // The end of this connection tells the client that the server has taken the request.
    const passed = this.#host.cancel(processId, secretKey)
    if (passed !== undefined) await passed
    this.#stream.end()
    this.#vanish()
  }

  #askPassword(request: Extract<StartupRequest, { kind: 'session' }>): void {
    const { parameters, minorVersion, protocolOptions } = request
    const user = parameters.get('user')
    if (user === undefined) {
      return this.terminate({ code: '28000', message: 'no PostgreSQL user name specified in startup packet' })
    }
    if (parameters.has('replication') && !/^(false|off|no|0)$/i.test(parameters.get('replication') ?? '')) {
      return this.terminate({
        code: '0A000',
        message: 'replication connections are not available inside a sandbox',
        hint: 'Connect to the plain server for logical replication.',
      })
    }
    this.#parameters = parameters
    this.isOwn = parameters.get('application_name') === ownApplicationName
    this.database = parameters.get('database') ?? user
    if (minorVersion > 0 || protocolOptions.length > 0) this.write(encodeNegotiateProtocolVersion(0, protocolOptions))
    this.#phase = 'password'
    this.say(authenticationCleartext)
    if (this.#startup.rest.length > 0) {
      this.#input.push(this.#startup.rest)
      this.#takePassword()
    }
  }

  #takePassword(): void {
    let type: number
    try {
      type = this.#input.next()
    } catch (error) {
      return this.#violated(error)
    }
    if (type === 0) return
    if (type === Frontend.terminate) {
      this.#stream.end()
      return this.#vanish()
    }
    if (type !== Frontend.password) {
      return this.terminate({
        code: '08P01',
        message: `expected password response, got message type ${describeType(type)}`,
      })
    }
    const { buffer, start, end } = this.#input.frame(type)
    const password = readCString(buffer, start + 5, end)
    const user = this.#parameters.get('user') ?? ''
    if (!sameText(password, this.#host.password) || user !== this.#host.user) {
      return this.terminate({
        code: '28P01',
        message: `password authentication failed for user "${user}"`,
        detail: 'The user or the password is not the one of this run.',
        hint: 'Connect with the URL that Vivarium gives out, user and password included; both change with every run.',
      })
    }
    if (!this.#host.knowsDatabase(this.database)) {
      return this.terminate({
        code: '3D000',
        message: `database "${this.database}" does not exist`,
        hint: 'The database name in the URL says which sandbox is meant. Use the URL as it was given out.',
      })
    }
    this.#phase = 'login'
    void this.#login()
  }

  async #login(): Promise<void> {
    try {
      const logins = await this.#host.logins
      const reports = await logins.reports.reportsFor(this.#parameters)
      if (this.isClosed) return
      this.initialSettings = startupSettings(this.#parameters)
      this.state = { status: 'idle', settings: this.initialSettings }
      // Where it has a connection of its own from the start, it is told that one's number.
      const connected = await this.#connectDirectly()
      if (this.isClosed) return
      if (typeof connected === 'object') return this.terminate(connected)
      this.write(authenticationOk)
      for (const [name, value] of reports) {
        this.#told.note(name, value)
        this.write(encodeParameterStatus(name, value))
      }
      this.write(encodeBackendKeyData(connected ?? logins.processId, this.secretKey))
      this.write(readyForQuery.I)
      this.flush()
      this.#phase = 'ready'
      this.pump()
    } catch (error) {
      const fields = error instanceof PostgresServerError ? error.fields : undefined
      this.terminate({
        code: fields?.code ?? '08006',
        message: fields?.message ?? (error instanceof Error ? error.message : String(error)),
        detail: fields?.detail,
        hint: fields?.hint,
      })
    }
  }

  /** Nothing of it runs any more: what ends with a connection in production ends. */
  leave(): void {
    for (const leftovers of this.leavesIn) leftovers.left(this)
    this.leavesIn.clear()
  }

  /** The client is gone, however. */
  #vanish(): void {
    if (this.#phase === 'closed') return
    this.#phase = 'closed'
    this.#input.drop()
    this.#output.drop()
    this.#stream.removeAllListeners('data')
    this.#stream.resume()
    this.#faults.clientVanished()
    this.#path.clientVanished()
    this.#host.closed(this)
  }

  /** Closes the stream without a word: the gateway itself goes. */
  destroy(): void {
    this.#stream.destroy()
    this.#vanish()
  }

  get statusByte(): 'I' | 'T' | 'E' {
    return statusByte(this.state)
  }
}
