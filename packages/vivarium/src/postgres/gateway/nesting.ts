import { effectOf } from './changes-nothing.ts'
import { committedWorkLost, nestedConnection, quoteStatement } from './contention-messages.ts'
import { Frames } from './frames.ts'
import type { LostWork } from './frames.ts'
import type { Level } from './level.ts'
import { readTextRow } from '../protocol/backend.ts'
import type { Session } from './session.ts'
import type { StatementPlan } from './plan.ts'
import type { ConstraintCheck } from './template-facts.ts'
import type { VirtualConnection } from './virtual-connection.ts'

/**
 * How many transaction ids the session has: a savepoint gets one of its own with the first thing that changes in it, and
 * each is locked until its end.
 */
const transactionIds = `SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks
WHERE locktype = 'transactionid' AND pid = pg_catalog.pg_backend_pid()`

const checkAndTakeBack: ConstraintCheck = [
  'SAVEPOINT vivarium_check',
  'SET CONSTRAINTS ALL IMMEDIATE',
  'ROLLBACK TO SAVEPOINT vivarium_check',
  'RELEASE SAVEPOINT vivarium_check',
]

/**
 * What is to be said of connections that ran inside each other: that they did, and that work was lost by it which its
 * connection was told is committed.
 */
export class Nesting {
  readonly frames: Frames = new Frames((lost) => this.#workWasLost(lost))
  readonly #level: () => Level | undefined
  /** A statement of the unit that runs which may have changed something. */
  #inDoubt: string | undefined
  #isClosing = false
  #isProbing = false

  constructor(level: () => Level | undefined) {
    this.#level = level
  }

  /** The sandbox is being closed: all goes, and what was open is reported as such. */
  closing(): void {
    this.#isClosing = true
  }

  /** The sandbox is closed. */
  closed(): void {
    this.#isClosing = false
  }

  /** A new frame's savepoint has been sent. */
  began(session: Session): void {
    const { current } = this.frames
    this.#inDoubt = undefined
    current.hasChanged = false
    current.hasWarned = false
    if (current.index === 0) return
    const onRow = (buffer: Buffer, start: number): void => {
      current.idsAtStart = Number(readTextRow(buffer, start)[0])
    }
    session.control(transactionIds, undefined, { onRow })
  }

  /**
   * What checks deferred constraints, inside another connection's transaction: in a savepoint that is taken back, so that
   * the other one's constraints are as deferred afterwards as they were.
   */
  checkInside(check: ConstraintCheck): ConstraintCheck {
    const { index, isUnchecked } = this.frames.current
    if (index === 0 || check.length === 0) return check
    return isUnchecked ? [] : checkAndTakeBack
  }

  /**
   * Ahead of a unit inside another connection's transaction: does that one violate deferred constraints itself just now? A
   * check could not tell the two apart.
   */
  probeConstraints(session: Session): void {
    const { current, host } = this.frames
    current.isUnchecked = false
    if (host === undefined) return
    this.#isProbing = true
    session.control('SAVEPOINT vivarium_check')
    session.control('SET CONSTRAINTS ALL IMMEDIATE', () => {
      current.isUnchecked = true
      return undefined
    })
    session.sync({
      onReady: () => {
        this.#isProbing = false
        return undefined
      },
    })
    session.control('ROLLBACK TO SAVEPOINT vivarium_check')
    session.control('RELEASE SAVEPOINT vivarium_check')
  }

  /** It is not known yet whether the transaction around violates deferred constraints itself. */
  get isProbing(): boolean {
    return this.#isProbing
  }

  /** A statement has completed: inside another connection's transaction it matters whether it changed something. */
  completed(text: string, tag: string | undefined): void {
    const { current } = this.frames
    if (current.index === 0) return
    const effect = effectOf(tag, text)
    if (effect === 'something' || (effect === 'unknown' && current.hasChanged)) this.frames.changed(text)
    else if (effect === 'unknown') this.#inDoubt ??= text
  }

  /** A transaction or savepoint of the application has ended: what becomes of the work in it. */
  ended(text: string, { next, tag, boundary }: StatementPlan): void {
    const { frames } = this
    const { current } = frames
    if (boundary !== undefined) {
      // Once its savepoint is released the server no longer knows what it did.
      if (boundary === 'keep' && this.#inDoubt !== undefined) frames.changed(this.#inDoubt)
      this.#inDoubt = undefined
      if (boundary === 'keep') frames.workStays(current)
      else frames.workGoes(current, quoteStatement(text))
    } else if (next.status !== 'idle' && (tag === 'ROLLBACK' || tag === 'RELEASE')) {
      const { length } = next.transaction.savepoints
      if (tag === 'RELEASE') frames.released(current, length)
      else frames.rolledBackTo(current, length - 1, quoteStatement(text))
    }
  }

  /** The unit has failed: what it did is gone. */
  failed(): void {
    this.#inDoubt = undefined
  }

  get isInDoubt(): boolean {
    return this.#inDoubt !== undefined
  }

  /** Asks the server whether what only it can tell has changed anything; nothing may be in flight. */
  async resolveDoubt(session: Session): Promise<void> {
    const text = this.#inDoubt
    this.#inDoubt = undefined
    if (text === undefined) return
    const { current } = this.frames
    const [row] = await session.query(transactionIds)
    if (!current.hasChanged && Number(row?.[0]) <= current.idsAtStart) return
    this.frames.changed(text)
    if (current.state === 'done') this.frames.workStays(current)
    else if (current.state === 'failed') this.frames.workGoes(current, 'it was rolled back')
  }

  /** Says, once per pair of statements, that a connection's unit ran inside another connection's transaction. */
  warn(text: string): void {
    const { current, host } = this.frames
    if (host === undefined) return
    const level = this.#level()
    if (host.owner === undefined || level === undefined || current.hasWarned || current.owner === undefined) return
    current.hasWarned = true
    const around = host.owner as VirtualConnection
    const { lastText } = around.units
    const pair = `${lastText}\0${text}`
    if (level.nestedPairs.has(pair)) return
    level.nestedPairs.add(pair)
    const lacks = {
      settings: around.state.settings.locals?.hasUnknown === true,
      constraints: current.isUnchecked,
    }
    level.recorder.warn(nestedConnection({ id: current.owner.id, text }, { id: around.id, text: lastText }, lacks))
  }

  #workWasLost(lost: LostWork): void {
    if (!this.#isClosing) this.#level()?.recorder.fail(committedWorkLost(lost))
  }
}
