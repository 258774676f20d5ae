import { now } from '../../core/clock.ts'
import type { InjectedFault } from '../../core/injected-fault.ts'
import { encodeBind, flushMessage, syncMessage } from '../protocol/frontend.ts'
import { encodeCommandComplete, readyForQuery } from '../protocol/backend.ts'
import { encodeMessageFields, encodeOwnMessage } from '../protocol/server-message.ts'
import type { MessageFields, OwnMessage } from '../protocol/server-message.ts'
import { Backend } from '../protocol/message-types.ts'
import type { Statement } from '../sql/statement.ts'
import {
  endOfTransaction,
  fail,
  keepsSettings,
  rollback,
  sessionOf,
  statusByte,
  withSession,
} from './connection-state.ts'
import type { ConnectionState, SessionState } from './connection-state.ts'
import type { Level } from './level.ts'
import { quoteStatement } from './contention-messages.ts'
import { mayChangeCatalogue, type QueryRecord, recordCompleted, recordFailed } from './query-record.ts'
import { passedOn, type Reply, type ReplyVerdict } from './reply.ts'
import type { Session } from './session.ts'
import { askSettings, noteShared } from './shared-session.ts'
import { showsWarnings } from './settings.ts'
import { UnitEnd } from './unit-end.ts'
import type { PlaceOfCheck, QueryAnswers } from './unit-end.ts'
import type { UnitOwner } from './unit-owner.ts'
import type { World } from './world.ts'
import type { StatementPlan } from './plan.ts'
import { onCommitSteps } from './temporary-objects.ts'
import type { TemporaryObjects } from './temporary-objects.ts'

const doNothing = (): void => undefined
const noNames: ReadonlySet<string> = new Set()

/**
 * One unit of work of one virtual connection: a simple Query, or all extended messages up to their Sync. It translates
 * ahead of the answers (`planned`), and the answers make it true (`owner.state`).
 */
export class Unit {
  readonly owner: UnitOwner
  readonly world: World
  readonly level: Level
  readonly session: Session
  /** The connection's state when all messages so far have succeeded. */
  planned: ConnectionState
  /** The session where the unit's savepoint is: what a failure goes back to. */
  atBoundary: SessionState
  /** Something of it was sent to the server. */
  isReal = false
  /** Its last message (Query or Sync) has been sent. */
  isComplete = false
  /** Its last message waits for an answer of the server's. */
  isHeld = false
  /** The rest up to Sync is to be skipped: a message of it was refused by us. */
  isSkipping = false
  /** Waits for the client's COPY data. */
  isCopyingIn = false
  /** The client broke off a COPY: what the server would say of it. */
  copyViolation: MessageFields | undefined
  /** The client went away before the unit's end: nothing of it stays. */
  isAbandoned = false
  /** It is a Query that starts with a BEGIN, which says itself whether the transaction is read-only. */
  beginsTransaction = false
  /** A statement of it asks for COPY data. */
  mayCopyIn = false
  executed = 0
  /** All that was sent so far reads, and names nothing that could do more. */
  onlyReads = true
  /** Settings of the session that a statement of it may have made, with values that no text tells. */
  asks: ReadonlySet<string> = noNames
  /** The fault of the statement whose record is being made. */
  fault: InjectedFault | undefined
  /** What runs, for messages. */
  text = ''
  #hasFailed = false
  #hasGoneBack = false
  #isSettled = false
  #stateAfterFailure: ConnectionState | undefined
  #changedCatalogue = false
  #current: QueryRecord | undefined
  /** The last command tag of a simple query, held back until deferred constraints are checked. */
  heldTag: Buffer | undefined

  readonly #ended: () => void
  /** What is still to be sent behind its last message. */
  #behind: 'check' | 'undo' | undefined

  /** `ended` is called once when all is answered and the next unit may begin. */
  constructor(owner: UnitOwner, world: World, level: Level, ended: () => void) {
    this.#ended = ended
    this.owner = owner
    this.world = world
    this.level = level
    this.session = world.session
    this.planned = owner.state
    this.atBoundary = sessionOf(owner.state)
  }

  get hasFailed(): boolean {
    return this.#hasFailed
  }

  /** The client knows the outcome; what is still to come is the server's ReadyForQuery, or something of ours. */
  get isAnswered(): boolean {
    if (this.#isSettled) return true
    // The server flushes an error at once (elog.c, send_message_to_frontend), and drivers tell of it as they see it.
    return this.isComplete && (this.#hasFailed || (this.#extendedSyncSent && this.session.toldTheClient))
  }

  /** To be called ahead of anything that is sent to the server. */
  real(): void {
    const { world, planned, session } = this
    if (world.needsPrefix) {
      const hasFailed = planned.status === 'failed'
      // Of a transaction that has failed as a whole nothing is left, its settings included.
      const { settings } = hasFailed && world.unitSavepoint !== 'open' ? rollback(planned) : planned
      const goBack = world.prepareUnit(settings, planned.status === 'idle' && !this.beginsTransaction, hasFailed)
      // In mid-unit, behind a COMMIT: the server skips it when something before it has failed.
      if (this.isReal) session.expect({ until: 'synthetic', visible: false, onSkipped: () => this.#skipped(goBack) })
    } else if (!this.isReal && planned.status !== 'failed') world.closeStale()
    this.isReal = true
  }

  /** The first that is skipped is what the server is at. */
  #skipped(goBack: () => void): void {
    if (!this.#hasGoneBack) goBack()
    this.#hasGoneBack = true
  }

  /**
   * Calls back when all that was sent so far is answered, or one of it failed: a Query behind extended messages is
   * skipped by the server when one of those failed, and only then we know.
   */
  whenAnswered(onAnswered: () => void): void {
    let called = false
    const once = (): void => {
      if (called) return
      called = true
      this.#onFailure = undefined
      // Not from within the session's own loop.
      void Promise.resolve().then(onAnswered)
    }
    this.#onFailure = once
    this.session.send(flushMessage)
    this.session.expect({ until: 'synthetic', visible: false, onReached: once })
    this.session.flush()
  }

  #onFailure: (() => void) | undefined

  /** Sends its last message when what was sent ahead of it is answered. */
  hold(send: () => void): void {
    this.isHeld = true
    this.whenAnswered(() => {
      this.isHeld = false
      // Its client may have gone meanwhile.
      if (this.isComplete) return
      send()
      this.session.flush()
    })
  }

  /** Something is said to the client when everything before it has been answered. */
  answer(bytes: Buffer, { onReached, onSkipped }: Pick<Reply, 'onReached' | 'onSkipped'> = {}): void {
    if (!this.isReal) {
      // Nothing of ours is under way: what the server still has to answer belongs to the sandbox before this one.
      onReached?.()
      this.session.emit(bytes)
      return
    }
    this.session.expect({ until: 'synthetic', visible: true, bytes, onReached, onSkipped })
  }

  /** Refuses a message: the client gets this error, and the real session fails as in production. */
  refuse(message: OwnMessage, next?: ConnectionState): void {
    this.real()
    this.isSkipping = true
    const bytes = encodeOwnMessage(message)
    const fields: MessageFields = { C: message.code, M: message.message }
    this.session.send(encodeBind('', 'vivarium_refused'))
    this.session.expect({
      until: 'bind',
      visible: true,
      onError: () => {
        this.failed(fields, undefined, next)
        return bytes
      },
    })
  }

  /** Carries out a plan that replaces the client's statement; the command tag comes at its end. */
  run(plan: StatementPlan, statement: Statement): void {
    const record = this.record(statement.text, [])
    this.note(plan, statement)
    if (plan.terminates === true) {
      this.owner.terminateItself()
      return
    }
    if (plan.error !== undefined) {
      this.refuseStatement(plan.error, record, plan.nextOnError)
      return
    }
    this.onlyReads = false
    const { world, session } = this
    const onError = (fields: MessageFields): Buffer => {
      this.failed(fields, record, plan.nextOnError)
      return encodeMessageFields(Backend.errorResponse, fields)
    }
    // Without an open savepoint there is no work whose constraints could be violated.
    const checks = plan.checksConstraints === true && world.unitSavepoint === 'open' ? world.constraintCheck : []
    const controls = [...checks, ...plan.controls]
    // The server warns before it does anything.
    if (plan.notice !== undefined && this.showsNotices) this.answer(encodeOwnMessage(plan.notice))
    if (controls.length > 0) this.real()
    for (const control of controls) session.control(control, onError)
    if (plan.disturbsSettings === true) world.disturbSettings()
    if (plan.readOnlyUnit === true) world.unitIsReadOnly()
    if (plan.restoresSettings === true) world.settingsRestored(this.planned.settings)
    this.crossBoundary(plan)
    if (plan.afterBoundary !== undefined && plan.afterBoundary.length > 0) {
      this.planned = plan.next
      this.real()
      for (const step of plan.afterBoundary) session.control(step, onError)
    }
    this.planned = plan.next
    const { names } = this.owner
    const { mark } = names
    if (plan.forgets !== undefined) this.owner.forget(plan.forgets)
    this.answer(encodeCommandComplete(plan.tag ?? ''), {
      onReached: () => {
        this.completedOurs(record, plan)
        if (plan.boundary !== undefined) this.atBoundary = sessionOf(plan.next)
      },
      onSkipped: () => names.takeBack(mark),
    })
  }

  refuseStatement(error: OwnMessage, record: QueryRecord, next?: ConnectionState): void {
    this.#current = record
    this.refuse(error, next)
  }

  /** client_min_messages above WARNING keeps warnings from the client; we honour it for those we make. */
  get showsNotices(): boolean {
    return showsWarnings(this.planned.settings)
  }

  /** What a plan says besides what runs. */
  note(plan: StatementPlan, statement: Statement): void {
    noteShared(this, plan, statement)
    if (plan.fidelity !== undefined) {
      this.level.recorder.warn({ component: 'postgres', ...plan.fidelity, text: statement.text })
    }
    if (plan.disturbsSettings === true) this.world.disturbSettings()
    if (statement.kind === 'begin' && this.planned.status === 'idle') this.owner.transactionBegan(statement.text)
  }

  /** A transaction of the application has committed, an implicit one too: what ON COMMIT asks for is due. */
  #committed(temporary: TemporaryObjects): void {
    const { leftovers, routines } = this.world
    leftovers.add(onCommitSteps(temporary, routines.temporary))
  }

  crossBoundary(plan: StatementPlan): void {
    const { world } = this
    if (plan.boundary === 'keep') {
      world.leftovers.add(plan.onCommit ?? [])
      if (world.routines.changeSettings) world.disturbSettings()
    }
    if (plan.boundary !== undefined) world.stalePortals.push(...this.owner.names.openNames())
    if (plan.boundary === undefined || world.unitSavepoint !== 'open') return
    if (plan.boundary === 'keep') {
      world.endTransaction('keep', plan.next.settings)
      return
    }
    const { settings } = this.planned
    // Outside a transaction it undoes the unit so far.
    const before = this.planned.status === 'idle' ? this.atBoundary : rollback(this.planned)
    const changed = world.settingsDisturbed || settings.locals !== undefined || settings.key !== before.settings.key
    if (changed) {
      // The client must be told of the settings that go back together with the answer to its ROLLBACK.
      this.isReal = true
      world.undoUnitNow()
    } else world.endTransaction('undo', settings)
  }

  record(text: string, params: QueryRecord['params'], state: ConnectionState = this.planned): QueryRecord {
    const transaction = state.status === 'idle' ? undefined : state.transaction.number
    const { id: connection, isOwn } = this.owner
    this.text = text
    return { level: this.level, text, params, connection, isOwn, transaction, startedAt: now(), fault: this.fault }
  }

  /** A statement of the client completed on the server. */
  completed(record: QueryRecord, tag: string | undefined, next: ConnectionState): ReplyVerdict {
    this.owner.state = next
    recordCompleted(record, tag)
    this.world.nesting.completed(record.text, tag)
    if (tag === 'COMMIT') this.world.committedForReal(record.text)
    else if (tag !== undefined && mayChangeCatalogue(tag)) {
      this.#changedCatalogue = true
      this.world.catalogueChanged()
    } else if (!this.onlyReads && tag?.startsWith('SELECT') === true) this.world.mayHaveMadeRoutines()
    return passedOn
  }

  /** A statement of it may set this for the session, to a value that no text tells. */
  ask(name: string): void {
    this.asks = new Set(this.asks).add(name)
  }

  /** A statement that was replaced is done. */
  completedOurs(record: QueryRecord, plan: StatementPlan): void {
    this.owner.state = plan.next
    recordCompleted(record, plan.tag)
    this.world.nesting.ended(record.text, plan)
  }

  /** The last command tag of a simple query waits for the check of deferred constraints. */
  get holdsLastTag(): boolean {
    return this.#needsConstraintCheck
  }

  /** A statement of the client failed. */
  failed(fields: MessageFields, record: QueryRecord | undefined = this.#current, next?: ConnectionState): void {
    this.#hasFailed = true
    this.#onFailure?.()
    this.#stateAfterFailure = next
    if (record !== undefined) recordFailed(record, fields)
    this.#current = undefined
  }

  /** All is answered: what the connection's state is now; returns the status to show. */
  settle(realStatus: string): 'I' | 'T' | 'E' {
    const { world, owner } = this
    this.#isSettled = true
    if (realStatus === 'I') world.break(new Error(`"${this.text}" ended the sandbox's transaction`))
    world.nesting.warn(this.text)
    if (this.#hasFailed || this.isAbandoned) {
      const failed = fail(owner.state)
      if (owner.state.status === 'inTransaction' && failed.status === 'failed') owner.names.failPortals()
      // A failed COMMIT goes back to before its transaction, anything else outside of one to the unit's beginning.
      owner.state =
        this.#stateAfterFailure ?? (failed.status === 'idle' ? withSession(failed, this.atBoundary) : failed)
      // Of a client that left behind a COMMIT in mid-pipeline, what it had committed stays.
      const stays = !this.#hasFailed && world.unitSavepoint === 'done'
      if (owner.state.status === 'idle' && !stays) {
        world.unitFailed(`${quoteStatement(this.text)} failed`)
      }
    } else {
      owner.state = this.planned
      if (this.isReal && world.unitSavepoint === 'open') {
        if (owner.state.status === 'idle') {
          this.#committed(owner.state.temporary)
          owner.state = endOfTransaction(owner.state)
          world.unitSucceeded(owner.state.settings, !this.onlyReads)
          if (world.routines.changeSettings) world.disturbSettings()
        } else world.follow(owner.state.settings)
      }
    }
    this.planned = owner.state
    owner.names.settle()
    for (const report of owner.dueReports(this.session.reported)) this.session.emit(report)
    return statusByte(owner.state)
  }

  /** The unit's last message: its statements' answers go to `answers`. Without anything real it ends at once. */
  complete(sent: Buffer, answers?: QueryAnswers): void {
    // While it was held something ahead of it has failed: the server would skip all but a Sync.
    const last = this.#hasFailed ? syncMessage : sent
    this.isComplete = true
    if (!this.isReal) {
      this.owner.state = this.planned
      this.owner.names.settle()
      this.answer(readyForQuery[statusByte(this.planned)])
      this.#ended()
      return
    }
    const check = this.#needsConstraintCheck ? this.#placeOfCheck(last) : 'none'
    if (check === 'before') this.#sendChecks()
    this.session.send(last)
    this.session.expect(new UnitEnd(this, check, last === sent ? answers : undefined))
    if (check === 'behind') this.#checkBehind()
  }

  /** The server is ready behind the unit's last message; returns the status to show. */
  ready(status: string, check: PlaceOfCheck): 'I' | 'T' | 'E' | undefined {
    const checks = check === 'behind' || (check === 'after' && this.#needsConstraintCheck)
    this.#behind = checks ? 'check' : this.#lastBehind
    if (this.#behind !== undefined) return undefined
    const shown = this.settle(status)
    return this.copyViolation === undefined ? shown : undefined
  }

  /** That was passed on. */
  finished(check: PlaceOfCheck): void {
    if (this.#behind !== 'check') this.#finishOrUndo()
    else if (check === 'after') this.#checkBehind()
  }

  /**
   * Where deferred constraints are checked: in an extended unit before its Sync, behind a Query. Only what may ask for
   * COPY data has to be answered first: a message behind COPY FROM STDIN would be taken for data.
   */
  #placeOfCheck(last: Buffer): PlaceOfCheck {
    // Inside another connection's transaction it is known only then whether a check can tell the two apart.
    if (this.mayCopyIn || this.world.frames.host !== undefined) return 'after'
    return last === syncMessage ? 'before' : 'behind'
  }

  /** The server asks for COPY data: the client's next messages are that. */
  startCopyIn(): void {
    this.isCopyingIn = true
    if (this.#extendedSyncSent) {
      // The server ignores a Sync that it reads during COPY FROM STDIN (copyfromparse.c, CopyGetData).
      this.session.unexpectReady()
      this.isComplete = false
      this.#extendedSyncSent = false
    }
    this.onCopyIn()
  }

  /** Told when COPY data is asked for. */
  onCopyIn: () => void = doNothing
  #extendedSyncSent = false

  /** Sync of an extended unit. */
  sync(): void {
    this.#extendedSyncSent = true
    this.complete(syncMessage)
  }

  #sendChecks(): void {
    const afterFailure = rollback(this.planned)
    for (const check of this.world.constraintCheck) {
      this.session.control(check, (fields) => {
        // Behind a Query that has failed the check fails too, and says nothing new.
        if (this.#hasFailed) return undefined
        this.failed(fields, undefined, withSession(afterFailure, this.atBoundary))
        return encodeMessageFields(Backend.errorResponse, fields)
      })
    }
  }

  /** Deferred constraints fail where the implicit COMMIT would: after the rows, instead of the last command tag. */
  #checkBehind(): void {
    const { session } = this
    this.#sendChecks()
    session.sync({
      onReady: (status) => {
        if (!this.#hasFailed && this.heldTag !== undefined) session.emit(this.heldTag)
        this.#behind = this.#lastBehind
        return this.#behind === undefined ? this.settle(status) : undefined
      },
      onFinished: () => this.#finishOrUndo(),
    })
    session.flush()
  }

  get #lastBehind(): 'undo' | undefined {
    const fails = this.#hasFailed && this.#stateAfterFailure === undefined
    return fails && keepsSettings(this.owner.state) ? 'undo' : undefined
  }

  #finishOrUndo(): void {
    if (this.#behind === undefined) return this.#finish()
    this.world.undoUnitNow()
    this.session.sync({ onReady: (status) => this.settle(status), onFinished: () => this.#finish() })
    this.session.flush()
  }

  #finish(): void {
    const { nesting } = this.world
    if (this.#hasFailed) nesting.failed()
    if (!nesting.isInDoubt && !this.#needsCatalogueReload && (this.asks.size === 0 || this.#hasFailed)) {
      this.#ended()
      return
    }
    this.#lookAround().then(
      () => this.#ended(),
      (error: unknown) => {
        this.world.break(error instanceof Error ? error : new Error(String(error)))
        this.#ended()
      },
    )
  }

  /** What has to be asked of the server before the next unit. */
  async #lookAround(): Promise<void> {
    const { world, session } = this
    world.unnamedStatement = undefined
    await world.nesting.resolveDoubt(session)
    if (this.asks.size > 0 && !this.#hasFailed) await askSettings(this)
    if (this.#needsCatalogueReload) await world.reloadCatalogue()
  }

  get #needsConstraintCheck(): boolean {
    return (
      !this.#hasFailed &&
      this.planned.status === 'idle' &&
      this.world.unitSavepoint === 'open' &&
      this.world.constraintCheck.length > 0
    )
  }

  get #needsCatalogueReload(): boolean {
    return this.#changedCatalogue && this.owner.state.status !== 'failed' && this.world.unitSavepoint !== 'failed'
  }
}
