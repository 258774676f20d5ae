import type { InjectedFault } from '../../core/injected-fault.ts'
import {
  bindComplete,
  closeComplete,
  encodeCommandComplete,
  noData,
  noParameters,
  parseComplete,
  readCString,
} from '../protocol/backend.ts'
import { encodeClose, encodeDescribe, encodeExecute, encodeParse, flushMessage } from '../protocol/frontend.ts'
import { expectEnd, ProtocolViolation } from '../protocol/frame-reader.ts'
import { Backend, Frontend } from '../protocol/message-types.ts'
import { encodeMessageFields } from '../protocol/server-message.ts'
import type { MessageFields, OwnMessage } from '../protocol/server-message.ts'
import type { Statement } from '../sql/statement.ts'
import {
  abortedTransaction,
  describedStatementUnknown,
  duplicatePortal,
  duplicateStatement,
  finishedPortal,
  readBindNames,
  readBindValues,
  unknownPortal,
  unknownStatement,
  wrongParameterCount,
} from './client-statement.ts'
import type { ClientPortal, ClientStatement } from './client-statement.ts'
import { currentKey, ensurePrepared, realName, sendParse } from './real-statements.ts'
import { explainRefusal, inClientNames, inPlaceOf } from './refusal-hints.ts'
import { nameTaken, unreadableText } from './shared-session.ts'
import { withFault } from './plan.ts'
import { endsFailure, planStatement } from './statement-plan.ts'
import { showsIsolation } from './isolation-shown.ts'
import { isVirtualKind, rewriteStatement } from './statement-texts.ts'
import type { Unit } from './unit.ts'
import { UnitContext } from './plan-context.ts'
import { deallocate, endPortals, endsTransaction, noteLeftovers, noteNamesAhead } from './unit-names.ts'
import { afterSetConfig } from './unit-set-config.ts'

/** A message of the client: type byte at `start`, up to `end`. */
export interface Frame {
  readonly type: number
  readonly buffer: Buffer
  readonly start: number
  readonly end: number
  /** What a fault does to it. */
  readonly fault?: FrameFault | undefined
}

/** A fault of one statement of a message. */
export interface FrameFault {
  /** Which statement of the message, from 0. */
  readonly index: number
  /** It fails with this; `undefined` where it is carried out, and the client does not hear of it. */
  readonly error: OwnMessage | undefined
  readonly injected: InjectedFault
}

/** Translates one extended-protocol message (but Sync) of a unit. */
export function translateExtended(unit: Unit, frame: Frame): void {
  // After an error the server skips everything up to Sync, and so do we.
  if (unit.isSkipping || unit.hasFailed) return
  switch (frame.type) {
    case Frontend.parse:
      return translateParse(unit, frame)
    case Frontend.bind:
      return translateBind(unit, frame)
    case Frontend.describe:
      return translateDescribe(unit, frame)
    case Frontend.execute:
      unit.fault = frame.fault?.injected
      translateExecute(unit, frame)
      unit.fault = undefined
      return
    case Frontend.close:
      return translateClose(unit, frame)
    default:
      expectEnd(frame.start + 5, frame.end)
      if (unit.isReal) unit.session.send(flushMessage)
  }
}

/** Passes the message on as it is. */
function pass({ session }: Unit, { buffer, start, end }: Frame): void {
  session.send(buffer, start, end)
}

function translateParse(unit: Unit, frame: Frame): void {
  const { owner, world, session } = unit
  const { names } = owner
  const { mark } = names
  const name = readCString(frame.buffer, frame.start + 5, frame.end)
  const textStart = frame.buffer.indexOf(0, frame.start + 5) + 1
  const zero = frame.buffer.indexOf(0, textStart)
  const { text, statements, isPlainRead } = owner.texts.know(frame.buffer.toString('utf8', textStart, zero))
  const parameterTypes: number[] = []
  const typeCount = frame.buffer.readUInt16BE(zero + 1)
  expectEnd(zero + 3 + typeCount * 4, frame.end)
  for (let index = 0; index < typeCount; index++) parameterTypes.push(frame.buffer.readInt32BE(zero + 3 + index * 4))

  const unreadable = unreadableText(unit, text)
  if (unreadable !== undefined) return unit.refuse(unreadable)
  const statement = statements.length === 1 ? statements[0] : undefined
  // What a DEALLOCATE names is known when it runs.
  const isVirtual = statement !== undefined && (isVirtualKind(statement) || statement.kind === 'deallocate')
  const refusedInFailed = unit.planned.status === 'failed' && statement !== undefined && !endsFailure(statement)
  if (name !== '' && !refusedInFailed && names.statements.has(name)) {
    refuseDuplicate(unit, name, isVirtual ? undefined : encodeParse('', text, parameterTypes))
    return
  }
  const prepares = statement?.kind === 'prepare' ? names.nextSqlStatementName() : undefined
  const rewritten =
    statement === undefined || isVirtual
      ? undefined
      : rewriteStatement(text, statement, (named) => prepares ?? realName(unit, named))
  const clientStatement: ClientStatement = {
    text,
    serverText: rewritten?.text ?? text,
    parameterTypes,
    statement,
    isVirtual,
    isPlainRead,
    key: undefined,
    prepares,
  }
  if (isVirtual && !refusedInFailed) {
    names.change('statements', name, clientStatement)
    if (name === '') world.unnamedStatement = undefined
    unit.answer(parseComplete, { onSkipped: () => names.takeBack(mark) })
    return
  }
  unit.real()
  names.change('statements', name, clientStatement)
  unit.text = text
  const onError = (fields: MessageFields): Buffer | undefined => {
    names.takeBack(mark)
    // The server drops the unnamed statement before it parses the new one.
    if (name === '') names.statements.delete('')
    unit.failed(fields, unit.record(text, []))
    return explainRefusal(fields, statement, unit.planned, rewritten)
  }
  const onSkipped = (): void => {
    names.takeBack(mark)
    if (clientStatement.key !== undefined) world.prepared.forget(clientStatement.key)
    if (world.unnamedStatement === clientStatement) world.unnamedStatement = undefined
  }
  if (name === '') {
    world.unnamedStatement = clientStatement
    if (rewritten === undefined) pass(unit, frame)
    else session.send(encodeParse('', rewritten.text, parameterTypes))
    session.expect({ until: 'parse', visible: true, onError, onSkipped })
    return
  }
  const key = currentKey(unit, clientStatement)
  clientStatement.key = key
  // In a failed transaction the server itself refuses the Parse, whatever we have prepared.
  if (world.prepared.find(key) !== undefined && !refusedInFailed) {
    unit.answer(parseComplete, { onSkipped: () => names.takeBack(mark) })
    return
  }
  sendParse(unit, clientStatement, key)
  session.expect({
    until: 'parse',
    visible: true,
    onError: (fields) => {
      world.prepared.forget(key)
      return onError(fields)
    },
    onSkipped,
  })
}

/** The server looks at the text first, and at the name only when there is nothing wrong with that. */
function refuseDuplicate(unit: Unit, name: string, parse: Buffer | undefined): void {
  if (parse !== undefined) {
    unit.real()
    unit.world.unnamedStatement = undefined
    unit.session.send(parse)
    unit.session.expect({
      until: 'parse',
      visible: false,
      onError: (fields) => {
        unit.failed(fields)
        return encodeMessageFields(Backend.errorResponse, fields)
      },
    })
  }
  unit.refuse(duplicateStatement(name))
}

function translateBind(unit: Unit, frame: Frame): void {
  const { owner, session } = unit
  const { names } = owner
  const { mark } = names
  const parts = readBindNames(frame.buffer, frame.start + 5, frame.end)
  const statement = names.statements.get(parts.statement)
  if (statement === undefined) {
    unit.refuse(unknownStatement(parts.statement))
    return
  }
  if (statement.isVirtual) {
    const { length } = readBindValues(frame.buffer, parts.restStart, frame.end)
    if (length !== statement.parameterTypes.length) {
      unit.refuse(wrongParameterCount(length, parts.statement, statement))
      return
    }
    const isRefused =
      unit.planned.status === 'failed' && statement.statement !== undefined && !endsFailure(statement.statement)
    if (isRefused) {
      unit.refuse(abortedTransaction)
      return
    }
    if (parts.portal === '') unit.world.stalePortals.push(...names.dropUnnamedPortal())
    if (parts.portal !== '' && (names.portals.has(parts.portal) || names.cursors.has(parts.portal))) {
      unit.refuse(duplicatePortal(parts.portal))
      return
    }
    names.change('portals', parts.portal, { statement, params: [], realName: undefined })
    unit.answer(bindComplete, { onSkipped: () => names.takeBack(mark) })
    return
  }
  // In a failed transaction the server refuses the Bind before it looks at the portal's name.
  const isTaken = parts.portal !== '' && names.portals.get(parts.portal)?.statement.isVirtual === true
  if (isTaken && unit.planned.status !== 'failed') {
    unit.refuse(duplicatePortal(parts.portal))
    return
  }
  unit.real()
  // Not between Bind and Execute: our own statement uses the unnamed portal as well.
  if (owner.texts.readsGuard(statement.text)) unit.world.hideGuard(unit.planned)
  const realStatement = ensurePrepared(unit, parts.statement, statement)
  const realPortal = names.portalName(parts.portal, unit.planned.status !== 'idle')
  if (realPortal !== '' && parts.portal === '') {
    // Only the unnamed portal is replaced by a Bind; under our name it has to be closed first.
    session.send(encodeClose('portal', realPortal))
    session.expect({ until: 'close', visible: false })
  }
  const params = readBindValues(frame.buffer, parts.restStart, frame.end)
  if (realPortal === parts.portal && realStatement === parts.statement) pass(unit, frame)
  else {
    const realNames = Buffer.from(`${realPortal}\0${realStatement}\0`)
    const head = Buffer.allocUnsafe(5 + realNames.length)
    head[0] = Frontend.bind
    head.writeInt32BE(4 + realNames.length + frame.end - parts.restStart, 1)
    realNames.copy(head, 5)
    session.send(head)
    session.send(frame.buffer, parts.restStart, frame.end)
  }
  names.change('portals', parts.portal, { statement, params, realName: realPortal })
  unit.text = statement.text
  session.expect({
    until: 'bind',
    visible: true,
    onError: (fields) => {
      names.takeBack(mark)
      if (parts.portal === '') names.portals.delete('')
      unit.failed(fields, unit.record(statement.text, params))
      return inClientNames(fields, [
        [realStatement, parts.statement],
        [realPortal, parts.portal],
      ])
    },
    onSkipped: () => names.takeBack(mark),
  })
}

/** Describe and Close name a statement ('S') or a portal ('P'). */
function readKindAndName(frame: Frame, message: string): { isStatement: boolean; name: string } {
  const kind = frame.buffer[frame.start + 5]
  if (kind !== 0x53 && kind !== 0x50) throw new ProtocolViolation(`invalid ${message} message subtype ${kind}`)
  const name = readCString(frame.buffer, frame.start + 6, frame.end)
  expectEnd(frame.buffer.indexOf(0, frame.start + 6) + 1, frame.end)
  return { isStatement: kind === 0x53, name }
}

function translateDescribe(unit: Unit, frame: Frame): void {
  const { owner, session } = unit
  const { isStatement, name } = readKindAndName(frame, 'DESCRIBE')
  const onError = (fields: MessageFields): undefined => {
    unit.failed(fields)
    return undefined
  }
  if (isStatement) {
    const statement = owner.names.statements.get(name)
    if (statement === undefined) return unit.refuse(describedStatementUnknown(name))
    if (statement.isVirtual) {
      unit.answer(noParameters)
      return unit.answer(noData)
    }
    session.send(encodeDescribe('statement', ensurePrepared(unit, name, statement)))
    return session.expect({ until: 'describe', visible: true, onError })
  }
  const portal = owner.names.portals.get(name)
  if (portal === undefined && !owner.names.cursors.has(name)) {
    return unit.refuse({ ...unknownPortal(name), routine: 'exec_describe_portal_message' })
  }
  if (portal?.statement.isVirtual === true) return unit.answer(noData)
  unit.real()
  const realPortal = portal?.realName ?? name
  if (realPortal === name) pass(unit, frame)
  else session.send(encodeDescribe('portal', realPortal))
  session.expect({ until: 'describe', visible: true, onError })
}

function translateExecute(unit: Unit, frame: Frame): void {
  const { owner } = unit
  const name = readCString(frame.buffer, frame.start + 5, frame.end)
  expectEnd(frame.buffer.indexOf(0, frame.start + 5) + 1 + 4, frame.end)
  const maxRows = frame.buffer.readInt32BE(frame.end - 4)
  const portal = owner.names.portals.get(name)
  if (portal === undefined) {
    if (!owner.names.cursors.has(name)) return unit.refuse(unknownPortal(name))
    return execute(unit, undefined, name, maxRows)
  }
  if (portal.isDone === true) {
    const isFailed = unit.planned.status === 'failed'
    return unit.refuse(isFailed ? { ...abortedTransaction, routine: 'exec_execute_message' } : finishedPortal(name))
  }
  const { statement } = portal.statement
  if (statement === undefined) return execute(unit, portal, portal.realName ?? name, maxRows)
  const failure = frame.fault?.error
  if (statement.kind === 'deallocate' && failure === undefined) {
    if (!owner.names.statements.has(statement.name)) {
      return unit.refuseStatement(unknownStatement(statement.name), unit.record(statement.text, []))
    }
    owner.names.change('portals', name, { ...portal, isDone: true })
    unit.executed++
    return deallocate(unit, statement)
  }
  const prepares = statement.kind === 'prepare' && portal.statement.prepares !== undefined
  if (prepares && unit.planned.status !== 'failed' && owner.names.statements.has(statement.name)) {
    return unit.refuseStatement(duplicateStatement(statement.name), unit.record(statement.text, []))
  }
  if (prepares) owner.names.change('portals', name, { ...portal, isDone: true })
  const isFirst = unit.executed === 0
  const context = new UnitContext(unit, !isFirst, isFirst, portal.params, unit.atBoundary)
  const plan = withFault(planStatement(statement, unit.planned, context), failure)
  unit.executed++
  if (!plan.forward) {
    owner.names.change('portals', name, { ...portal, isDone: true })
    unit.run(plan, statement)
    if (plan.error === undefined && endsTransaction(statement)) {
      endPortals(unit)
      unit.executed = 0
    }
    return
  }
  // Ahead of the plan: the prefix makes the session what it was before this statement.
  unit.real()
  if (asksForData(statement)) unit.mayCopyIn = true
  unit.note(plan, statement)
  unit.planned = plan.next
  if (statement.mayCallSetConfig) unit.planned = afterSetConfig(unit, statement, portal.params, unit.planned)
  const isFailed = plan.next.status === 'failed'
  const takeBack = isFailed ? undefined : noteNamesAhead(unit, statement, portal.statement.prepares, name)
  execute(unit, portal, portal.realName ?? name, maxRows, statement, takeBack)
}

/** COPY FROM STDIN. */
export function asksForData(statement: Statement): boolean {
  return statement.kind === 'copy' && statement.direction === 'in'
}

function execute(
  unit: Unit,
  portal: ClientPortal | undefined,
  realPortal: string,
  maxRows: number,
  statement?: Statement,
  takeBack?: () => void,
): void {
  const text = portal?.statement.text ?? realPortal
  const record = unit.record(text, portal?.params ?? [])
  if (portal?.statement.isPlainRead !== true) unit.onlyReads = false
  const next = unit.planned
  unit.real()
  unit.session.send(encodeExecute(realPortal, maxRows))
  unit.session.expect({
    until: 'execute',
    visible: true,
    onTag: (tag) => {
      noteLeftovers(unit, statement, record.params)
      if (statement === undefined || tag === undefined || !showsIsolation(statement)) {
        return unit.completed(record, tag, next)
      }
      unit.completed(record, 'SHOW', next)
      return { forward: false, after: [encodeCommandComplete('SHOW')] }
    },
    onSkipped: takeBack,
    onError: (fields) => {
      takeBack?.()
      unit.failed(fields, record)
      const violation = inPlaceOf(fields, unit.copyViolation)
      if (violation !== undefined) return violation
      return (
        explainRefusal(fields, statement, unit.owner.state, undefined, () => nameTaken(unit, statement)) ??
        inClientNames(fields, unit.owner.names.realNames())
      )
    },
    onCopyIn: () => unit.startCopyIn(),
  })
}

function translateClose(unit: Unit, frame: Frame): void {
  const { owner, session } = unit
  const { names } = owner
  const { mark } = names
  const { isStatement, name } = readKindAndName(frame, 'CLOSE')
  const onSkipped = (): void => names.takeBack(mark)
  if (isStatement) {
    // The real statement stays: others may share it, and the next test will prepare it again.
    const real = names.statements.get(name)?.sqlPrepare?.name
    if (real !== undefined) unit.world.dropSqlPrepared(real)
    names.change('statements', name, undefined)
    return unit.answer(closeComplete, { onSkipped })
  }
  const portal = names.portals.get(name)
  names.change('portals', name, undefined)
  names.change('cursors', name, undefined)
  const real = portal === undefined ? name : portal.realName
  if (real === undefined || !unit.isReal) {
    if (real !== undefined && real !== '') unit.world.stalePortals.push(real)
    return unit.answer(closeComplete, { onSkipped })
  }
  session.send(encodeClose('portal', real))
  session.expect({ until: 'close', visible: true, onSkipped })
}
