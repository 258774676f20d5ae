import { now, withDeadline } from '../../core/clock.ts'
import type { Recorder } from '../../core/interactions.ts'
import type { ConnectionState } from './connection-state.ts'
import type { Lease } from '../leases/lease.ts'
import { encodeBind, encodeClose } from '../protocol/frontend.ts'
import type { MessageFields } from '../protocol/server-message.ts'
import type { Frames, UnitSavepoint } from './frames.ts'
import { goOnSteps, leaveHostSteps } from './host-steps.ts'
import { levelSavepoint } from './level.ts'
import type { Level } from './level.ts'
import { Nesting } from './nesting.ts'
import { PreparedStatements } from './prepared-statements.ts'
import type { Session } from './session.ts'
import {
  guardOffStatement,
  guardSetting,
  isReadOnlyByDefault,
  noSettings,
  settingsSteps,
  unknownSettings,
} from './settings.ts'
import type { Settings } from './settings.ts'
import { Scheduler } from './scheduler.ts'
import type { TurnTaker } from './scheduler.ts'
import { SessionLeftovers } from './session-leftovers.ts'
import { readConstraintCheck, readRoutines, refreshSequences } from './template-facts.ts'
import type { ConstraintCheck, Routines, SequenceSnapshot, TemplateFacts } from './template-facts.ts'
import { couldNot } from './temporary-objects.ts'
import type { VirtualConnection } from './virtual-connection.ts'
import { brokenWorld, committedForReal } from './world-errors.ts'

/** After this many sandboxes that did something a clone is replaced. */
const sandboxesPerClone = 2000

/** How long the connections of a world wait for each other. */
export interface WaitOptions {
  readonly waitMs: number
  /** @default 20 */
  readonly nestAfterMs?: number
}

/** How a world is set up. */
export interface WorldOptions extends WaitOptions {
  readonly lease: Lease
  readonly session: Session
  readonly facts: TemplateFacts
}

/** One lease at work: the real session, the stack of sandboxes in its transaction, and whose turn it is. */
export class World {
  readonly lease: Lease
  readonly session: Session
  readonly scheduler: Scheduler
  /** The units and transactions in the sandbox's transaction, each inside the one before. */
  readonly nesting: Nesting = new Nesting(() => this.level)
  readonly frames: Frames = this.nesting.frames
  /** Connections whose transaction has failed as a whole: nothing of it is left here, but they have not ended it yet. */
  readonly adrift: Set<VirtualConnection> = new Set()
  readonly prepared: PreparedStatements = new PreparedStatements()
  /** Something was set that only lasts until the transaction's end, or that we could not read. */
  settingsDisturbed = false
  /** Portals of ended transactions, closed with the next prefix. */
  readonly stalePortals: string[] = []
  /** Real names of statements that SQL has prepared and their client has given up, closed with them. */
  readonly staleStatements: string[] = []
  readonly leftovers: SessionLeftovers = new SessionLeftovers(this.stalePortals)
  /** Whose unnamed statement the real session has. */
  unnamedStatement: object | undefined
  catalogueVersion = 0
  /** Real names of statements made by SQL PREPARE that the real session has. */
  readonly sqlPrepared: Set<string> = new Set()
  /** Set when the world can no longer be used; its lease is then dropped. */
  broken: Error | undefined
  readonly #levels: Level[] = []
  readonly #facts: TemplateFacts
  /** What the real session has set. */
  #applied: Settings = noSettings
  #begun = false
  #sandboxes = 0
  #outerState: { key: string; sequences: SequenceSnapshot } | undefined

  constructor(options: WorldOptions) {
    this.lease = options.lease
    this.session = options.session
    this.#facts = options.facts
    const { waitMs, nestAfterMs = 20 } = options
    this.scheduler = new Scheduler({ waitMs, nestAfterMs })
    this.session.onLost = (reason) => this.break(reason)
    void this.lease.lost.then((reason) => this.break(reason))
  }

  /** The innermost sandbox. */
  get level(): Level | undefined {
    return this.#levels.at(-1)
  }

  /** The sandboxes, outermost first. */
  get levels(): readonly Level[] {
    return this.#levels
  }

  /** A sandbox that is still open had done something. */
  get hasLostWork(): boolean {
    return this.broken !== undefined && this.#levels.some((level) => level.started)
  }

  /**
   * Rolled-back rows stay in a clone until a vacuum, and scans grow with them: after so many sandboxes a new clone is
   * cheaper.
   */
  get isWornOut(): boolean {
    return this.#sandboxes >= sandboxesPerClone
  }

  get depth(): number {
    return this.#levels.length
  }

  /** What checks deferred constraints at the end of the unit or transaction whose turn it is. */
  get constraintCheck(): ConstraintCheck {
    return this.nesting.checkInside(this.#allConstraints)
  }

  get #allConstraints(): ConstraintCheck {
    return this.level?.constraintCheck ?? this.#facts.constraintCheck
  }

  get routines(): Routines {
    return this.level?.routines ?? this.#facts.routines
  }

  /** Makes a sandbox the innermost one. */
  async openLevel(title: string, recorder: Recorder): Promise<Level> {
    if (this.broken !== undefined) throw brokenWorld(title, this.broken)
    const level: Level = {
      title,
      recorder,
      openedAt: now(),
      started: false,
      settingsAtStart: noSettings,
      sequences: await this.#sequencesNow(),
      constraintCheck: this.#allConstraints,
      routines: this.routines,
      changedCatalogue: false,
      transactions: 0,
      units: 0,
      nestedPairs: new Set(),
    }
    this.#levels.push(level)
    return level
  }

  /** The sequences as the sandboxes outside have left them; read only when they ran something since the last time. */
  async #sequencesNow(): Promise<SequenceSnapshot> {
    const outer = this.level
    if (outer === undefined) return this.#facts.sequences
    if (!outer.started) return outer.sequences
    const key = `${this.depth}:${outer.units}`
    if (this.#outerState?.key === key) return this.#outerState.sequences
    this.frames.leave()
    this.#uncover()
    if (this.unitSavepoint === 'failed') this.undoUnitNow()
    this.unnamedStatement = undefined
    const sequences = await refreshSequences(this.session, outer.sequences)
    this.#outerState = { key, sequences }
    return sequences
  }

  /** What the savepoint of the unit or transaction whose turn it is holds. */
  get unitSavepoint(): UnitSavepoint {
    return this.frames.current.state
  }

  get unitSavepointName(): string {
    return this.frames.current.name
  }

  /** The real session is not yet where the next message of the unit whose turn it is belongs. */
  get needsPrefix(): boolean {
    const { current } = this.frames
    return current.state !== 'open' || this.frames.isCovered || current.owesFailure
  }

  /**
   * Called ahead of a unit's first message to the server: ends the last unit, begins what has not begun, makes the
   * session what the connection wants, and sets the unit's savepoint, inside the transaction that is open around it. Or
   * goes on with the connection's own transaction, when others have run inside of it. `isImplicit`: no BEGIN of the
   * application says what the transaction is like. `hasFailed`: the transaction it belongs to has failed.
   *
   * @returns what is to be called when the server has skipped all of it: the last savepoint is still the unit's.
   */
  prepareUnit(wanted: Settings, isImplicit: boolean, hasFailed: boolean = false): () => void {
    if (!this.needsPrefix) return () => undefined
    const { session, level } = this
    const frame = this.frames.current
    const { name, appliedAtStart, isReadOnly } = frame
    if (level === undefined) throw new Error('a unit outside any sandbox')
    this.closeStale()
    if (!this.#begun) {
      this.#begun = true
      session.control('BEGIN READ WRITE')
    }
    this.#uncover()
    if (this.unitSavepoint === 'open') this.#goOn(wanted)
    else this.#beginUnit(level, wanted, isImplicit)
    if (hasFailed) this.#failAgain()
    return () => {
      Object.assign(frame, { name, appliedAtStart, isReadOnly })
    }
  }

  #beginUnit(level: Level, wanted: Settings, isImplicit: boolean): void {
    const { session } = this
    const frame = this.frames.current
    if (frame.state === 'failed') {
      session.control(`ROLLBACK TO SAVEPOINT ${frame.name}`)
      this.#wentBackTo(frame.appliedAtStart)
    }
    for (const step of leaveHostSteps(this.frames)) {
      session.control(step)
      this.settingsDisturbed = true
    }
    if (this.#allConstraints.length > 0) this.nesting.probeConstraints(session)
    const due = this.#takeDue(level)
    const steps = settingsSteps(this.settingsDisturbed ? unknownSettings : this.#applied, wanted)
    const moves = !level.started || steps.length > 0 || due.length > 0
    if (frame.state === 'done' || (frame.state !== 'none' && moves)) {
      if (frame.name === frame.unitName) session.control(frame.releasesUnit)
      frame.state = 'none'
    }
    for (const step of due) session.control(step, undefined, { onNotice: (fields) => this.noticed(fields) })
    for (const step of steps) session.control(step)
    this.#applied = wanted
    this.settingsDisturbed = false
    if (!level.started) {
      level.started = true
      level.settingsAtStart = wanted
      frame.name = levelSavepoint(this.depth - 1)
      session.control(`SAVEPOINT ${frame.name}`)
    } else if (frame.state === 'none') {
      frame.name = frame.unitName
      session.control(frame.makesUnit)
    }
    frame.appliedAtStart = wanted
    frame.state = 'open'
    this.nesting.began(session)
    frame.isReadOnly = isImplicit && isReadOnlyByDefault(wanted)
    if (frame.isReadOnly) session.control('SET TRANSACTION READ ONLY')
    level.units++
  }

  /** What is to be done about temporary objects of transactions and connections that have ended. */
  #takeDue(level: Level): readonly string[] {
    const due = this.leftovers.take()
    if (due.length === 0) return due
    if (!this.routines.canRunBlocks) {
      level.recorder.warn({
        component: 'postgres',
        kind: 'temp-table',
        message:
          'ON COMMIT of a temporary table, or the end of its connection, was not carried out: that takes a block of ' +
          'PL/pgSQL, and this database has no such language, or grants no right to use it',
      })
      return []
    }
    this.settingsDisturbed = true
    return due
  }

  /** What a statement of ours has to say: that it could not do something. False for what others say. */
  noticed(fields: MessageFields): boolean {
    const message = fields['M'] ?? ''
    if (!message.startsWith(couldNot)) return false
    this.level?.recorder.warn({
      component: 'postgres',
      kind: 'temp-table',
      message: `a temporary table should have ended with its transaction or its connection, and ${message}`,
    })
    return true
  }

  /** Others ran inside of a transaction that goes on now. */
  #goOn(wanted: Settings): void {
    const { statements, settings } = goOnSteps(this.frames.current, wanted)
    for (const statement of statements) this.session.control(statement)
    this.#applied = settings
    this.settingsDisturbed = true
  }

  /** The connection's transaction has failed and the real session has not: from here on the server refuses as it would. */
  #failAgain(): void {
    this.frames.current.owesFailure = false
    this.session.send(encodeBind('', 'vivarium_refused'))
    this.session.expect({ until: 'bind', visible: false, onError: () => undefined })
    this.session.sync({ onReady: () => undefined })
  }

  #uncover(): void {
    const { statements, wentBackTo } = this.frames.uncover()
    for (const statement of statements) this.session.control(statement)
    if (wentBackTo !== undefined) this.#wentBackTo(wentBackTo)
  }

  /** Closes what nobody can name any more. */
  closeStale(): void {
    const { session } = this
    if (this.stalePortals.length === 0 && this.staleStatements.length === 0) return
    for (const portal of this.stalePortals.splice(0)) {
      session.send(encodeClose('portal', portal))
      session.expect({ until: 'close', visible: false })
    }
    for (const name of this.staleStatements.splice(0)) session.closeStatement(name)
  }

  /** A client gives up a statement that SQL has prepared under this real name. */
  dropSqlPrepared(name: string): void {
    if (this.sqlPrepared.delete(name)) this.staleStatements.push(name)
  }

  /** The application is about to look at the setting that guards against stray writes: it sees the usual value. */
  hideGuard({ status, settings }: ConnectionState): void {
    // In a failed transaction nothing can be looked at, and our own statement would fail as well.
    if (status === 'failed' || settings.statements.has(guardSetting)) return
    this.session.control(guardOffStatement)
  }

  /** The unit under way is read-only from its beginning. */
  unitIsReadOnly(): void {
    this.frames.current.isReadOnly = true
  }

  /**
   * A unit has succeeded: its work stays, but for a read-only one, which has none and must not leave that behind. One that
   * has changed nothing leaves its savepoint to the next, where no view or policy can have written behind its back.
   */
  unitSucceeded(settings: Settings, mayHaveChanged: boolean): void {
    const { current } = this.frames
    const hasChanged = mayHaveChanged || current.index > 0 || !this.routines.readsWriteNothing
    this.frames.end(current, current.isReadOnly ? 'failed' : hasChanged ? 'done' : 'unused')
    if (current.isReadOnly) this.frames.workGoes(current, 'it was read-only')
    else this.frames.workStays(current)
    this.follow(settings)
  }

  /** The unit has failed, or what it belongs to: its work goes, with the next prefix. */
  unitFailed(reason: string): void {
    const { current } = this.frames
    this.frames.end(current, 'failed')
    this.frames.workGoes(current, reason)
  }

  /** A transaction ends with the next answer; what becomes of its work is known already. */
  endTransaction(boundary: 'keep' | 'undo', settings: Settings): void {
    this.frames.end(this.frames.current, boundary === 'keep' ? 'done' : 'failed')
    if (boundary === 'keep') this.follow(settings)
  }

  /** Undoes the unit's work now, not with the next prefix: for settings whose change the client must hear of. */
  undoUnitNow(): void {
    const { current } = this.frames
    this.session.control(`ROLLBACK TO SAVEPOINT ${current.name}`)
    this.frames.dropAbove()
    this.#wentBackTo(current.appliedAtStart)
    this.frames.end(current, 'done')
  }

  /** The real session has set what a connection's settings say now, unless others have used it since. */
  follow(settings: Settings): void {
    if (!this.frames.isCovered) this.#applied = settings
  }

  /** A rewritten text has set the unit's savepoint anew. */
  unitRestarted(settings: Settings, savepoint: string): void {
    const { current } = this.frames
    current.name = savepoint
    current.appliedAtStart = settings
    this.settingsRestored(settings)
  }

  /** The session's settings are the connection's again. */
  settingsRestored(settings: Settings): void {
    this.#applied = settings
    this.settingsDisturbed = false
  }

  disturbSettings(): void {
    this.settingsDisturbed = true
  }

  #wentBackTo(settings: Settings): void {
    this.#applied = settings
    this.settingsDisturbed = false
  }

  /** Something may have changed the catalogue: statements prepared from now on are new ones. */
  catalogueChanged(): void {
    this.catalogueVersion++
    if (this.level !== undefined) this.level.changedCatalogue = true
  }

  /** A function that ran within a SELECT may have made a view that writes, which no tag tells. */
  mayHaveMadeRoutines(): void {
    const { level } = this
    if (level?.routines.readsWriteNothing === true) level.routines = { ...level.routines, readsWriteNothing: false }
  }

  /** Reads again what a changed catalogue decides; nothing may be in flight. */
  async reloadCatalogue(): Promise<void> {
    const { level } = this
    this.unnamedStatement = undefined
    const check = await readConstraintCheck(this.session)
    const routines = await readRoutines(this.session)
    if (level !== undefined) Object.assign(level, { constraintCheck: check, routines })
  }

  /**
   * Rolls the innermost sandbox back. Nothing may be in flight. Everything is written at once and nothing is awaited:
   * what the next sandbox sends waits in the server's socket. Should a step fail, the server skips the rest up to our
   * Sync, so that the next unit's BEGIN fails too and nothing of it runs.
   */
  closeLevel(): void {
    const { session } = this
    const level = this.#levels.pop()
    this.nesting.closed()
    this.leftovers.levelClosed(this.depth, level?.started === true)
    if (level === undefined || !level.started || this.broken !== undefined) return
    this.#sandboxes++
    const index = this.#levels.length
    const outermost = !this.#levels.some((outer) => outer.started)
    session.control(`ROLLBACK TO SAVEPOINT ${levelSavepoint(index)}`)
    if (level.settingsAtStart.statements.has('session_authorization')) session.control('RESET SESSION AUTHORIZATION')
    if (level.settingsAtStart.statements.has('role')) session.control('RESET ROLE')
    session.control(level.sequences.restore)
    session.control('DISCARD SEQUENCES')
    if (outermost) session.control('ROLLBACK')
    else session.control(`RELEASE SAVEPOINT ${levelSavepoint(index)}`)
    if (level.changedCatalogue) this.#closePrepared()
    const expected = outermost ? 'I' : 'T'
    session.sync({
      onReady: (status) => {
        if (status !== expected) session.destroy(new Error(`the session was left in state ${status} by a close`))
        return undefined
      },
    })
    session.flush()
    this.adrift.clear()
    this.frames.reset()
    this.stalePortals.length = 0
    this.#begun = !outermost
    this.settingsDisturbed = false
    this.#applied = outermost ? noSettings : resetRole(level.settingsAtStart)
  }

  /** After a change of the catalogue was rolled back, what was prepared under it may not fit any more. */
  #closePrepared(): void {
    for (const name of this.prepared.clear()) this.session.closeStatement(name)
    for (const name of this.sqlPrepared) this.session.closeStatement(name)
    this.sqlPrepared.clear()
  }

  /** Waits until no virtual connection holds the session. */
  async idle(deadlineMs: number): Promise<void> {
    if (this.scheduler.top === undefined) return
    let taker: TurnTaker | undefined
    const free = new Promise<void>((resolve) => {
      taker = { activity: 'stalled', mayNest: false, granted: resolve, expired: () => undefined }
      this.scheduler.request(taker)
    })
    try {
      await withDeadline(free, deadlineMs, () => new Error(`the session was still busy after ${deadlineMs} ms`))
    } finally {
      if (taker !== undefined) this.scheduler.release(taker)
    }
  }

  /** The world can no longer be trusted: whatever uses it fails, and its database is dropped. */
  break(reason: Error): void {
    if (this.broken !== undefined) return
    this.broken = reason
    this.leftovers.levelClosed(0, true)
    const isAtWork = this.scheduler.top !== undefined
    for (const level of this.#levels) {
      if (level.started || (isAtWork && level === this.level)) level.recorder.fail(brokenWorld(level.title, reason))
    }
    this.session.destroy(reason)
    this.onBroken(reason)
  }

  /** The server reported a commit: the transaction around everything is over. */
  committedForReal(text: string): void {
    this.break(committedForReal(text))
  }

  /** Told once when the world breaks. */
  onBroken: (reason: Error) => void = () => undefined
}

function resetRole(settings: Settings): Settings {
  return settings.statements.has('role') || settings.statements.has('session_authorization')
    ? unknownSettings
    : settings
}
