import { now } from '../../core/clock.ts'
import { onOneLine } from '../../core/describe-interaction.ts'
import type { FaultedStatement } from '../../core/fault-crossings.ts'
import type { Strike } from '../../core/faults.ts'
import { describeFault } from '../../core/injected-fault.ts'
import { readCString } from '../protocol/backend.ts'
import { syncMessage } from '../protocol/frontend.ts'
import { Frontend } from '../protocol/message-types.ts'
import type { OwnMessage } from '../protocol/server-message.ts'
import type { Statement } from '../sql/statement.ts'
import { readBindNames, readBindValues } from './client-statement.ts'
import type { ClientNames } from './client-names.ts'
import type { Frame } from './extended-protocol.ts'
import { endsConnection, failureOf } from './fault-failure.ts'
import type { Level } from './level.ts'
import type { QueryRecord } from './query-record.ts'
import { recordFailed } from './query-record.ts'
import { endsFailure } from './statement-plan.ts'
import type { StatementTexts } from './statement-texts.ts'

/** The sandbox whose statements a connection sends just now, as far as faults go. */
export type FaultedSandbox = Pick<Level, 'recorder' | 'openedAt'>

/** What the stage needs of the connection it belongs to. */
export interface FaultedConnection {
  readonly id: number
  readonly names: ClientNames
  readonly texts: StatementTexts
  readonly state: {
    readonly status: 'idle' | 'inTransaction' | 'failed'
    readonly transaction?: { readonly number: number }
  }
  /**
   * Ends it without a word, once what it sent before is answered, and once as many units more are answered unheard. `lost` is called
   * just then.
   */
  loseAfter(unheardUnits: 0 | 1, lost?: () => void): void
  /** The client hears of what it sent before, and of nothing more. */
  answerNoMore(): void
  /** Ends it with an error that no client takes for an answer. */
  terminate(message: OwnMessage): void
  pump(): void
}

interface Candidate {
  readonly frame: Frame
  /** Which statement of the message it is, from 0. */
  readonly index: number
  readonly statement: Statement
  readonly crossing: FaultedStatement
}

interface BoundPortal {
  readonly text: string
  readonly params: QueryRecord['params']
}

/** A unit that is not answered: what is left of it until its client gives up. */
interface Withheld {
  readonly strike: Strike
  readonly candidate: Candidate
  readonly unit: readonly Frame[]
  readonly release: () => void
  readonly record: QueryRecord
}

/**
 * Stands between a client's messages and their path, in both isolations, while its sandbox has faults to inject. It keeps
 * the messages of a unit until its last one (a Query, a Sync or a Flush) is here, so that what is broken is broken before
 * anything of the unit has reached the server.
 *
 * gathering → released (no fault; or marked, to fail or to be carried out unheard) | withheld | cut
 */
export class FaultStage {
  readonly #connection: FaultedConnection
  #gathered: Frame[] = []
  #released: Frame[] = []
  #withheld: Withheld | undefined
  /** The connection is being lost: what the client sends behind it never arrives. */
  #isLosing = false
  /** Texts that the messages of this stage have named, ahead of what the connection knows. */
  readonly #statements: Map<string, string> = new Map()
  readonly #portals: Map<string, BoundPortal> = new Map()

  constructor(connection: FaultedConnection) {
    this.#connection = connection
  }

  /** Nothing more of the client is to be taken. */
  get withholds(): boolean {
    return this.#withheld !== undefined || this.#isLosing
  }

  /** The next message that may go its way. */
  next(): Frame | undefined {
    return this.#released.shift()
  }

  /** Takes a message, if it has to. `sandbox`: whose it is, where a statement of it is still to be broken. */
  takes(frame: Frame, sandbox: FaultedSandbox | undefined): boolean {
    if (sandbox === undefined && this.#gathered.length === 0) {
      // Names that change meanwhile are not seen here.
      if (this.#statements.size > 0) this.#statements.clear()
      return false
    }
    this.#gather(frame, sandbox)
    return true
  }

  #gather(frame: Frame, sandbox: FaultedSandbox | undefined): void {
    // Its bytes are the reader's, and do not stay.
    const bytes = Buffer.from(frame.buffer.subarray(frame.start, frame.end))
    this.#gathered.push({ type: frame.type, buffer: bytes, start: 0, end: bytes.length })
    switch (frame.type) {
      case Frontend.parse:
      case Frontend.bind:
      case Frontend.describe:
      case Frontend.execute:
      case Frontend.close:
        return
      default:
        this.#decide(this.#gathered.splice(0), sandbox)
    }
  }

  /** The client asks on another connection for the end of what runs here; false when nothing is withheld. */
  cancel(): boolean {
    const withheld = this.#withheld
    if (withheld === undefined || withheld.strike.moment === 'after') return withheld !== undefined
    this.#forgetWithheld()
    const error: OwnMessage = { code: '57014', message: 'canceling statement due to user request' }
    this.#release(withheld.unit, withheld.candidate, withheld.strike, error)
    this.#connection.pump()
    return true
  }

  /** The client is gone. */
  clientVanished(): void {
    const withheld = this.#withheld
    if (withheld === undefined) return
    this.#forgetWithheld()
    recordUnanswered(withheld.record, withheld.strike)
  }

  #decide(unit: readonly Frame[], sandbox: FaultedSandbox | undefined): void {
    const candidates = unit.flatMap((frame) => this.#candidates(frame))
    for (const candidate of candidates) {
      if (sandbox === undefined) break
      if (this.#isRefusedAnyway(candidate)) continue
      const { crossing } = candidate
      const strike = sandbox.recorder.faults.strike('postgres', crossing, () => shortened(crossing.text))
      if (strike === undefined) continue
      return this.#inject(unit, candidate, strike, sandbox)
    }
    this.#released.push(...unit)
  }

  /** In a failed transaction the server refuses all that does not end it, fault or not. */
  #isRefusedAnyway({ statement }: Candidate): boolean {
    return this.#connection.state.status === 'failed' && !endsFailure(statement)
  }

  #inject(unit: readonly Frame[], candidate: Candidate, strike: Strike, sandbox: FaultedSandbox): void {
    const connection = this.#connection
    if (strike.kind === 'fails') {
      const error = failureOf(strike, candidate.statement)
      if (!endsConnection(error)) return this.#release(unit, candidate, strike, error)
      recordFailed(this.#record(candidate, strike, sandbox), { C: error.code, M: error.message })
      return connection.terminate(error)
    }
    if (strike.kind === 'losesConnection') {
      this.#isLosing = true
      if (strike.moment === 'before') {
        const record = this.#record(candidate, strike, sandbox)
        return connection.loseAfter(0, () => recordUnanswered(record, strike))
      }
      this.#release(unit, candidate, strike, undefined)
      return connection.loseAfter(1)
    }
    const end = (): void => connection.terminate(endedByUs(strike))
    const record = this.#record(candidate, strike, sandbox)
    this.#withheld = { strike, candidate, unit, record, release: sandbox.recorder.faults.hold(strike, end) }
    if (strike.moment === 'before') return
    this.#release(unit, candidate, strike, undefined)
    connection.answerNoMore()
  }

  #forgetWithheld(): void {
    this.#withheld?.release()
    this.#withheld = undefined
  }

  /** Lets the unit go, with a mark where the fault is. */
  #release(unit: readonly Frame[], { frame, index }: Candidate, strike: Strike, error: OwnMessage | undefined): void {
    const marked: Frame = { ...frame, fault: { index, error, injected: strike.injected } }
    const frames = unit.map((one) => (one === frame ? marked : one))
    // Who hears nothing does not send the Sync that ends the unit; without it nothing takes effect.
    if (error === undefined && frames.at(-1)?.type === Frontend.flush) frames[frames.length - 1] = syncFrame
    this.#released.push(...frames)
  }

  #candidates(frame: Frame): readonly Candidate[] {
    const { names, texts, id } = this.#connection
    const { type, buffer, start, end } = frame
    switch (type) {
      case Frontend.query:
        return texts.classify(readCString(buffer, start + 5, end)).map((statement, index) => ({
          frame,
          index,
          statement,
          crossing: { text: statement.text, params: [], connection: id },
        }))
      case Frontend.parse: {
        const name = readCString(buffer, start + 5, end)
        this.#statements.set(name, readCString(buffer, buffer.indexOf(0, start + 5) + 1, end))
        return []
      }
      case Frontend.bind: {
        const parts = readBindNames(buffer, start + 5, end)
        const text = this.#statements.get(parts.statement) ?? names.statements.get(parts.statement)?.text
        if (text === undefined) this.#portals.delete(parts.portal)
        else this.#portals.set(parts.portal, { text, params: readBindValues(buffer, parts.restStart, end) })
        return []
      }
      case Frontend.execute: {
        const name = readCString(buffer, start + 5, end)
        const portal = this.#portals.get(name)
        // Of a portal that is fetched from in several portions only the first one is a statement.
        this.#portals.delete(name)
        if (portal === undefined) return []
        const [statement] = texts.classify(portal.text)
        if (statement === undefined) return []
        return [{ frame, index: 0, statement, crossing: { ...portal, connection: id } }]
      }
      default:
        return []
    }
  }

  #record({ crossing }: Candidate, strike: Strike, level: FaultedSandbox): QueryRecord {
    const { id, state } = this.#connection
    const transaction = state.status === 'idle' ? undefined : state.transaction?.number
    return { level, ...crossing, connection: id, isOwn: false, transaction, startedAt: now(), fault: strike.injected }
  }
}

const syncFrame: Frame = { type: Frontend.sync, buffer: syncMessage, start: 0, end: syncMessage.length }

/** It was sent, and there was no answer. `08006` is what SQLSTATE calls a connection that failed. */
function recordUnanswered(record: QueryRecord, strike: Strike): void {
  recordFailed(record, { C: '08006', M: `the statement ${describeFault(strike)}, as a fault has it` })
}

function endedByUs({ injected }: Strike): OwnMessage {
  return {
    code: '57P01',
    message: 'terminating connection: its sandbox closes, and a fault has withheld the answer it waits for',
    detail: `The fault was set at ${injected.setAt}.`,
  }
}

const longestLine = 100

/** A statement in one line, cut where it is long. */
function shortened(text: string): string {
  const line = onOneLine(text)
  return line.length <= longestLine ? line : `${line.slice(0, longestLine - 1)}…`
}
