import { now } from '../../core/clock.ts'
import { readyForQuery } from '../protocol/backend.ts'
import { describeType, expectEnd, ProtocolViolation } from '../protocol/frame-reader.ts'
import { encodeCopyFail } from '../protocol/frontend.ts'
import { Frontend } from '../protocol/message-types.ts'
import { encodeOwnMessage } from '../protocol/server-message.ts'
import type { OwnMessage } from '../protocol/server-message.ts'
import { fail, rollback } from './connection-state.ts'
import { quoteStatement, waitExpired } from './contention-messages.ts'
import { translateExtended } from './extended-protocol.ts'
import { startsUnit } from './client-path.ts'
import type { ClientPath } from './client-path.ts'
import { textOfFrame } from './client-statement.ts'
import type { Frame } from './extended-protocol.ts'
import { translateFunctionCall } from './function-call.ts'
import { translateQuery } from './simple-query.ts'
import type { Activity } from './scheduler.ts'
import { Unit } from './unit.ts'
import type { VirtualConnection } from './virtual-connection.ts'
import { World } from './world.ts'

/**
 * Runs one virtual connection's units in order: asks for the session, hands the messages to the translation, and holds
 * the client's next unit back until this one's status is known.
 *
 * between units → waiting (another connection has the session) → in a unit → answered → between units
 */
export class UnitRunner implements ClientPath {
  /** The statement that began the open transaction, for reports. */
  transactionText = ''
  transactionSince = 0
  /** The last statement, for reports. */
  lastText = ''
  /** Where its transaction has failed as a whole: nothing of it is left in the session, but the client has not ended it. */
  #adriftIn: World | undefined
  readonly #connection: VirtualConnection
  #unit: Unit | undefined
  /** The world whose session this connection holds or waits for. */
  #world: World | undefined
  #isWaiting = false
  /** A frame that waits for the session, or was refused it. */
  #held: Frame | undefined
  #refusal: OwnMessage | undefined
  /** An extended unit was refused as a whole: everything up to Sync is skipped. */
  #isSkipping = false
  #toDrop: string[] = []
  #cancelling = 0
  #endedWhileCancelling = false
  readonly #onceEnded: (() => void)[] = []

  readonly #onEnded = (): void => this.#ended()
  readonly #onCopyIn = (): void => this.#connection.pump()

  constructor(connection: VirtualConnection) {
    this.#connection = connection
  }

  /** Nothing is under way: no unit, no transaction, no wait for the session. */
  get isBetweenUnits(): boolean {
    if (this.#world !== undefined || this.isAdrift) return false
    return this.#held === undefined && this.#unit === undefined && !this.#isSkipping
  }

  get heldType(): number | undefined {
    return this.#held?.type
  }

  /** The next message has to wait. */
  get isBlocked(): boolean {
    if (this.#isWaiting) return true
    const unit = this.#unit
    return unit !== undefined && (unit.isHeld || (unit.isComplete && !unit.isCopyingIn))
  }

  get unanswered(): number {
    return this.#unit?.isComplete === true ? 1 : 0
  }

  get serverIsFull(): boolean {
    return this.#unit !== undefined && !this.#unit.session.writable
  }

  /** What runs or waits to run now; `undefined` between units. */
  get runningText(): string | undefined {
    if (this.#unit !== undefined) return this.#unit.text
    const held = this.#held
    return this.#isWaiting && held !== undefined ? textOfFrame(held, this.#connection.names) : undefined
  }

  /** What it does with the session while it has it. */
  get activity(): Activity {
    const unit = this.#unit
    if (unit === undefined) return 'idle'
    return unit.session.quiet || unit.session.isPaused || unit.isCopyingIn ? 'stalled' : 'busy'
  }

  get isAdrift(): boolean {
    return this.#adriftIn !== undefined
  }

  /** The client knows how the unit under way has ended, but it has not quite ended. */
  get isAnswered(): boolean {
    return this.#unit?.isAnswered === true
  }

  /** Resolves when the unit under way has ended. */
  unitEnded(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#unit === undefined) resolve()
      else this.#onceEnded.push(resolve)
    })
  }

  /** A setting's report belongs behind a command tag that is being held back; true when it was put there. */
  holdReport(report: Buffer): boolean {
    const unit = this.#unit
    if (unit?.heldTag === undefined) return false
    unit.heldTag = Buffer.concat([unit.heldTag, report])
    return true
  }

  /** The real session is gone: nothing of the unit will be answered any more. */
  sessionLost(): void {
    const world = this.#world
    this.#forgetUnit()
    this.#world = undefined
    this.#isWaiting = false
    world?.scheduler.release(this.#connection)
  }

  get world(): World | undefined {
    return this.#world
  }

  onceServerDrained(callback: () => void): void {
    this.#unit?.session.onceDrained(callback)
  }

  clientIsFull(): void {
    this.#unit?.session.pause()
  }

  clientDrained(): void {
    this.#unit?.session.resume()
  }

  /** Everything translated so far goes out, to both sides. */
  flush(): void {
    this.#unit?.session.settle()
    this.#connection.flush()
    this.#unit?.session.flush()
  }

  /** Real names of statements that SQL has prepared. */
  dropLater(names: readonly string[]): void {
    this.#toDrop.push(...names)
  }

  granted(): void {
    this.#isWaiting = false
  }

  expired(blocker: VirtualConnection, waitMs: number): void {
    this.#giveUpWaiting(waitExpired(this.#connection, blocker, waitMs))
  }

  /** The statement that waits is refused; inside a transaction that fails the transaction. */
  #giveUpWaiting(refusal: OwnMessage): void {
    const connection = this.#connection
    const world = this.#world
    this.#isWaiting = false
    this.#refusal = refusal
    if (world === undefined) return
    world.scheduler.withdraw(connection)
    if (!world.scheduler.holds(connection)) {
      this.#world = undefined
      return
    }
    const frame = world.frames.of(connection)
    connection.state = fail(connection.state)
    if (connection.state.status === 'failed' && connection.state.transaction.savepoints.length > 0) {
      if (frame !== undefined) frame.owesFailure = true
      return
    }
    if (frame !== undefined) {
      world.frames.end(frame, 'failed')
      world.frames.workGoes(frame, 'it had waited for another connection for too long')
    }
    this.#setAdrift(world)
  }

  /** The failed transaction is over for the real session: others may have it. */
  #setAdrift(world: World): void {
    this.#adriftIn = world
    this.#world = undefined
    world.adrift.add(this.#connection)
    world.scheduler.release(this.#connection)
  }

  /** The client asked, on another connection, to cancel what runs here: resolves when the server has taken the request. */
  cancel(): Promise<void> | undefined {
    const unit = this.#unit
    if (this.#isWaiting && unit === undefined) {
      this.#giveUpWaiting({ code: '57014', message: 'canceling statement due to user request' })
      this.#connection.pump()
      return undefined
    }
    if (unit === undefined || unit.session.quiet) return undefined
    // Until the server has taken the request nothing more is sent: it would hit the next statement.
    this.#cancelling++
    return unit.session
      .cancel()
      .catch((error: unknown) => unit.world.break(error instanceof Error ? error : new Error(String(error))))
      .then(() => {
        this.#cancelling--
        if (this.#endedWhileCancelling) this.#ended()
      })
  }

  take(frame: Frame): void {
    const wasHeld = this.#held !== undefined
    const current = this.#held ?? frame
    this.#held = undefined
    if (this.#unit !== undefined) {
      this.#unit.world.scheduler.stirred()
      this.#takeInUnit(this.#unit, current)
      return
    }
    if (isCopyMessage(current.type)) return
    if (current.type === Frontend.sync) {
      expectEnd(current.start + 5, current.end)
      this.#isSkipping = false
      this.#connection.say(readyForQuery[this.#connection.statusByte])
      return
    }
    if (this.#isSkipping || current.type === Frontend.flush) return
    if (!startsUnit(current.type)) {
      throw new ProtocolViolation(`invalid frontend message type ${current.type} (${describeType(current.type)})`)
    }
    const refusal = this.#refusal
    if (refusal !== undefined && wasHeld) {
      this.#refusal = undefined
      this.#refuse(refusal, current.type)
      return
    }
    this.#begin(current)
  }

  #begin(frame: Frame): void {
    const connection = this.#connection
    const world = connection.worldNow()
    if (!(world instanceof World)) {
      this.#refuse(world, frame.type)
      return
    }
    this.#world = world
    if (!world.scheduler.request(connection)) {
      // The frame's bytes stay where they are: nothing more is read until it is taken.
      this.#held = frame
      this.#isWaiting = true
      return
    }
    const level = world.level
    if (level === undefined || world.broken !== undefined) {
      world.scheduler.release(connection)
      this.#world = undefined
      this.#refuse({ code: '57P01', message: 'the sandbox of this connection is gone' }, frame.type)
      return
    }
    world.session.sink = connection
    world.frames.enter(connection)
    const unit = new Unit(connection, world, level, this.#onEnded)
    unit.onCopyIn = this.#onCopyIn
    this.#unit = unit
    if (this.#toDrop.length > 0) for (const name of this.#toDrop.splice(0)) world.dropSqlPrepared(name)
    this.#takeInUnit(unit, frame)
  }

  #takeInUnit(unit: Unit, frame: Frame): void {
    switch (frame.type) {
      case Frontend.query:
      case Frontend.functionCall:
        if (unit.isCopyingIn) return this.#breakCopy(unit, frame)
        return this.#takeWholeUnit(unit, frame)
      case Frontend.sync:
        expectEnd(frame.start + 5, frame.end)
        if (unit.isCopyingIn) return
        return unit.sync()
      case Frontend.copyData:
        if (unit.isCopyingIn) unit.session.send(frame.buffer, frame.start, frame.end)
        return
      case Frontend.copyDone:
      case Frontend.copyFail:
        if (!unit.isCopyingIn) return
        unit.isCopyingIn = false
        unit.session.send(frame.buffer, frame.start, frame.end)
        return
      case Frontend.flush:
        if (unit.isCopyingIn) return
        return translateExtended(unit, frame)
      default:
        if (unit.isCopyingIn) return this.#breakCopy(unit, frame)
        if (!startsUnit(frame.type)) {
          throw new ProtocolViolation(`invalid frontend message type ${frame.type} (${describeType(frame.type)})`)
        }
        return translateExtended(unit, frame)
    }
  }

  /** A Query behind extended messages without a Sync: the server skips it when one of them has failed. */
  #takeWholeUnit(unit: Unit, frame: Frame): void {
    if (unit.isSkipping || unit.hasFailed) return
    if (!unit.session.quiet) {
      this.#held = frame
      this.#isWaiting = true
      unit.whenAnswered(() => {
        this.#isWaiting = false
        this.#connection.pump()
      })
      return
    }
    if (frame.type === Frontend.query) translateQuery(unit, frame)
    else translateFunctionCall(unit, frame)
  }

  /** Another message in the place of COPY data ends the COPY, not the connection. */
  #breakCopy(unit: Unit, frame: Frame): void {
    unit.isCopyingIn = false
    unit.copyViolation = {
      C: '08P01',
      M: `unexpected message type 0x${frame.type.toString(16).toUpperCase()} during COPY from stdin`,
      F: 'copyfromparse.c',
      R: 'CopyGetData',
    }
    unit.session.send(encodeCopyFail('the client left the COPY protocol'))
    // An extended unit's own Sync may have been swallowed by the COPY, and no other one comes.
    if (!unit.isComplete) unit.sync()
  }

  #refuse(message: OwnMessage, type: number): void {
    const connection = this.#connection
    connection.write(encodeOwnMessage(message))
    if (type === Frontend.query || type === Frontend.functionCall) {
      connection.write(readyForQuery[connection.statusByte])
    } else this.#isSkipping = true
    connection.flush()
  }

  /** All of the unit is answered. */
  #ended(): void {
    this.#endedWhileCancelling = this.#cancelling > 0
    if (this.#endedWhileCancelling) return
    const connection = this.#connection
    const world = this.#world
    const hasLostSync = this.#unit?.copyViolation !== undefined
    this.lastText = this.#unit?.text ?? ''
    this.#forgetUnit()
    world?.session.resume()
    if (hasLostSync) connection.terminate(lostSynchronization)
    if (connection.isClosed) {
      this.#leave()
      return
    }
    const { state } = connection
    if (state.status === 'idle') {
      world?.stalePortals.push(...connection.names.endTransaction())
      this.#comeBack()
      this.#world = undefined
      this.transactionSince = 0
      world?.scheduler.release(connection)
    } else {
      if (this.transactionSince === 0) this.transactionSince = now()
      if (world !== undefined && state.status === 'failed' && state.transaction.savepoints.length === 0) {
        world.unitFailed(`${quoteStatement(this.lastText)} failed`)
        this.#setAdrift(world)
      }
    }
    connection.pump()
  }

  #forgetUnit(): void {
    this.#unit = undefined
    if (this.#onceEnded.length > 0) for (const resolve of this.#onceEnded.splice(0)) resolve()
  }

  #comeBack(): void {
    this.#adriftIn?.adrift.delete(this.#connection)
    this.#adriftIn = undefined
  }

  /** The client is gone: what it had begun is finished and undone, then the next may have the session. */
  clientVanished(): void {
    const unit = this.#unit
    const world = this.#world
    this.#comeBack()
    if (world === undefined) {
      this.#connection.leave()
      return
    }
    world.session.resume()
    if (unit === undefined) {
      this.#leave()
      return
    }
    if (unit.isCopyingIn) {
      unit.isCopyingIn = false
      unit.session.send(encodeCopyFail('the client is gone'))
      unit.onCopyIn = () => undefined
    }
    unit.onCopyIn = () => {
      unit.isCopyingIn = false
      unit.session.send(encodeCopyFail('the client is gone'))
      if (!unit.isComplete) unit.sync()
      unit.session.flush()
    }
    if (!unit.isComplete) {
      unit.isAbandoned = true
      unit.sync()
    }
    this.#unit?.session.flush()
  }

  #leave(): void {
    const connection = this.#connection
    const world = this.#world
    this.#world = undefined
    this.#isWaiting = false
    if (world === undefined) return
    if (world.scheduler.holds(connection)) {
      const frame = world.frames.of(connection)
      if (connection.state.status !== 'idle') connection.state = rollback(connection.state)
      if (frame !== undefined) {
        world.frames.end(frame, 'failed')
        world.frames.workGoes(frame, 'its connection was closed')
      }
      world.stalePortals.push(...connection.names.endTransaction(), ...connection.names.cursors.keys())
      if (world.session.sink === connection) world.session.sink = undefined
    }
    connection.leave()
    world.scheduler.release(connection)
  }
}

const lostSynchronization: OwnMessage = {
  code: '08P01',
  message: 'terminating connection because protocol synchronization was lost',
  file: 'postgres.c',
  routine: 'PostgresMain',
}

function isCopyMessage(type: number): boolean {
  return type === Frontend.copyData || type === Frontend.copyDone || type === Frontend.copyFail
}
