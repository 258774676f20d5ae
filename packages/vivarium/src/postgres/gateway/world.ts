import { now, withDeadline } from '../../core/clock.ts'
import { VivariumError } from '../../core/errors.ts'
import type { Recorder } from '../../core/interactions.ts'
import type { Lease } from '../leases/lease.ts'
import { encodeClose } from '../protocol/frontend.ts'
import type { MessageFields } from '../protocol/server-message.ts'
import { levelSavepoint } from './level.ts'
import type { Level } from './level.ts'
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
import { SessionLeftovers } from './session-leftovers.ts'
import { readConstraintCheck, readRoutines, refreshSequences } from './template-facts.ts'
import type { ConstraintCheck, Routines, SequenceSnapshot, TemplateFacts } from './template-facts.ts'
import { Turns } from './turns.ts'
import type { TurnTaker } from './turns.ts'
import { couldNot } from './temporary-objects.ts'

const unitSavepoint = 'vivarium_unit'

/** What ends a unit's work inside a rewritten text, where its savepoint is the named one, and the name after that. */
export function boundaryStatements(
  boundary: 'keep' | 'undo',
  savepoint: string,
): { statements: readonly string[]; savepoint: string } {
  if (boundary === 'undo') return { statements: [`ROLLBACK TO SAVEPOINT ${savepoint}`], savepoint }
  const release = savepoint === unitSavepoint ? [`RELEASE SAVEPOINT ${unitSavepoint}`] : []
  return { statements: [...release, `SAVEPOINT ${unitSavepoint}`], savepoint: unitSavepoint }
}

/** A statement that always fails, for use inside a rewritten query text. */
export const failingStatement = 'ROLLBACK TO SAVEPOINT vivarium_refused'

/**
 * What the unit's savepoint in the real session holds:
 * `none` (there is no savepoint) → `open` (a unit or transaction is in it) → `done` (its work stays) or `failed` (its
 * work goes). What ends one travels as a prefix of the next: a message behind COPY FROM STDIN would kill the session.
 */
export type UnitSavepoint = 'none' | 'open' | 'done' | 'failed'

/** After this many sandboxes that did something a clone is replaced. */
const sandboxesPerClone = 2000

/** How a world is set up. */
export interface WorldOptions {
  readonly lease: Lease
  readonly session: Session
  readonly facts: TemplateFacts
  readonly waitMs: number
}

/** One lease at work: the real session, the stack of sandboxes in its transaction, and whose turn it is. */
export class World {
  readonly lease: Lease
  readonly session: Session
  readonly turns: Turns
  readonly prepared: PreparedStatements = new PreparedStatements()
  readonly leftovers: SessionLeftovers = new SessionLeftovers()
  unitSavepoint: UnitSavepoint = 'none'
  /** Its name in the real session: a sandbox's first unit needs none of its own, the sandbox's will do. */
  unitSavepointName: string = unitSavepoint
  /** Something was set that only lasts until the transaction's end, or that we could not read. */
  settingsDisturbed = false
  /** Portals of ended transactions, closed with the next prefix. */
  readonly stalePortals: string[] = []
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
  #appliedAtUnit: Settings = noSettings
  #begun = false
  #guardIsHidden = false
  #sandboxes = 0
  #isReadOnlyUnit = false
  #outerState: { key: string; sequences: SequenceSnapshot } | undefined

  constructor(options: WorldOptions) {
    this.lease = options.lease
    this.session = options.session
    this.#facts = options.facts
    this.turns = new Turns(options.waitMs, () => !this.session.quiet)
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

  get constraintCheck(): ConstraintCheck {
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
      constraintCheck: this.constraintCheck,
      routines: this.routines,
      changedCatalogue: false,
      transactions: 0,
      units: 0,
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
    if (this.unitSavepoint === 'failed') {
      this.undoUnitNow()
    }
    this.unnamedStatement = undefined
    const sequences = await refreshSequences(this.session, outer.sequences)
    this.#outerState = { key, sequences }
    return sequences
  }

  /**
   * Called ahead of a unit's first message to the server: ends the last unit, begins what has not begun, makes the
   * session what the connection wants, and sets the unit's savepoint. `isImplicit`: no BEGIN of the application says
   * what the transaction is like.
   */
  prepareUnit(wanted: Settings, isImplicit: boolean): void {
    if (this.unitSavepoint === 'open') return
    const { session, level } = this
    if (level === undefined) throw new Error('a unit outside any sandbox')
    for (const portal of this.stalePortals.splice(0)) {
      session.send(encodeClose('portal', portal))
      session.expect({ until: 'close', visible: false })
    }
    if (!this.#begun) {
      this.#begun = true
      session.control('BEGIN READ WRITE')
    }
    if (this.unitSavepoint === 'failed') {
      session.control(`ROLLBACK TO SAVEPOINT ${this.unitSavepointName}`)
      this.#wentBack()
    }
    const due = this.#takeDue(level)
    const steps = settingsSteps(this.settingsDisturbed ? unknownSettings : this.#applied, wanted)
    if (
      this.unitSavepoint === 'done' ||
      (this.unitSavepoint === 'failed' && (!level.started || steps.length > 0 || due.length > 0))
    ) {
      if (this.unitSavepointName === unitSavepoint) session.control(`RELEASE SAVEPOINT ${unitSavepoint}`)
      this.unitSavepoint = 'none'
    }
    for (const step of due) session.control(step, undefined, (fields) => this.noticed(fields))
    for (const step of steps) session.control(step)
    this.#applied = wanted
    this.settingsDisturbed = false
    if (!level.started) {
      level.started = true
      level.settingsAtStart = wanted
      this.unitSavepointName = levelSavepoint(this.depth - 1)
      session.control(`SAVEPOINT ${this.unitSavepointName}`)
    } else if (this.unitSavepoint === 'none') {
      this.unitSavepointName = unitSavepoint
      session.control(`SAVEPOINT ${unitSavepoint}`)
    }
    this.#appliedAtUnit = wanted
    this.unitSavepoint = 'open'
    this.#guardIsHidden = false
    this.#isReadOnlyUnit = isImplicit && isReadOnlyByDefault(wanted)
    if (this.#isReadOnlyUnit) session.control('SET TRANSACTION READ ONLY')
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

  /** The application is about to look at the setting that guards against stray writes: it sees the usual value. */
  hideGuard(settings: Settings): void {
    if (this.#guardIsHidden || settings.statements.has(guardSetting)) return
    this.session.control(guardOffStatement)
    this.#guardIsHidden = true
  }

  /** The unit under way is read-only from its beginning. */
  unitIsReadOnly(): void {
    this.#isReadOnlyUnit = true
  }

  /** A unit has succeeded: its work stays, but for a read-only one, which has none and must not leave that behind. */
  unitSucceeded(settings: Settings): void {
    this.unitSavepoint = this.#isReadOnlyUnit ? 'failed' : 'done'
    this.follow(settings)
  }

  /** Undoes the unit's work now, not with the next prefix: for settings whose change the client must hear of. */
  undoUnitNow(): void {
    this.session.control(`ROLLBACK TO SAVEPOINT ${this.unitSavepointName}`)
    this.#wentBack()
    this.unitSavepoint = 'done'
  }

  /** The real session has set what a connection's settings say now. */
  follow(settings: Settings): void {
    this.#applied = settings
  }

  /** A rewritten text has set the unit's savepoint anew. */
  unitRestarted(settings: Settings, savepoint: string): void {
    this.unitSavepointName = savepoint
    this.settingsRestored(settings)
    this.#appliedAtUnit = settings
  }

  /** The session's settings are the connection's again. */
  settingsRestored(settings: Settings): void {
    this.#applied = settings
    this.settingsDisturbed = false
  }

  disturbSettings(): void {
    this.settingsDisturbed = true
  }

  #wentBack(): void {
    this.#applied = this.#appliedAtUnit
    this.settingsDisturbed = false
  }

  /** Something may have changed the catalogue: statements prepared from now on are new ones. */
  catalogueChanged(): void {
    this.catalogueVersion++
    if (this.level !== undefined) this.level.changedCatalogue = true
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
    this.unitSavepoint = 'none'
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
    if (this.turns.holder === undefined) return
    let taker: TurnTaker | undefined
    const free = new Promise<void>((resolve) => {
      taker = { granted: resolve, expired: () => undefined }
      this.turns.request(taker)
    })
    try {
      await withDeadline(free, deadlineMs, () => new Error(`the session was still busy after ${deadlineMs} ms`))
    } finally {
      if (taker !== undefined) this.turns.release(taker)
    }
  }

  /** The world can no longer be trusted: whatever uses it fails, and its database is dropped. */
  break(reason: Error): void {
    if (this.broken !== undefined) return
    this.broken = reason
    this.leftovers.levelClosed(0, true)
    const isAtWork = this.turns.holder !== undefined
    for (const level of this.#levels) {
      if (level.started || (isAtWork && level === this.level)) level.recorder.fail(brokenWorld(level.title, reason))
    }
    this.session.destroy(reason)
    this.onBroken(reason)
  }

  /** The server reported a commit: the transaction around everything is over. */
  committedForReal(text: string): void {
    this.break(
      new VivariumError('COMMITTED_FOR_REAL', {
        what: 'Something committed for real inside a sandbox; its database is dropped.',
        seen: `the server answered COMMIT to "${text}"`,
        remedy:
          'This is a defect of Vivarium: please report it with the statements before it (`sandbox.interactions`).',
      }),
    )
  }

  /** Told once when the world breaks. */
  onBroken: (reason: Error) => void = () => undefined
}

function resetRole(settings: Settings): Settings {
  return settings.statements.has('role') || settings.statements.has('session_authorization')
    ? unknownSettings
    : settings
}

function brokenWorld(title: string, reason: Error): VivariumError {
  if (reason instanceof VivariumError && reason.code === 'COMMITTED_FOR_REAL') return reason
  return new VivariumError('SANDBOX_BROKEN', {
    what: `The sandbox "${title}" lost its database session; all of its uncommitted work is gone.`,
    seen: reason.message,
    remedy: 'See what ended the session: the server going down, a terminated backend, or a bug worth reporting.',
    cause: reason,
  })
}
