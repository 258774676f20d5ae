import { encodeCommandComplete, readCString } from '../protocol/backend.ts'
import { encodeQuery, syncMessage } from '../protocol/frontend.ts'
import { expectEnd } from '../protocol/frame-reader.ts'
import { encodeOwnMessage } from '../protocol/server-message.ts'
import type { MessageFields } from '../protocol/server-message.ts'
import { replaceSpans } from '../sql/rewrite.ts'
import type { Replacement, RewrittenText } from '../sql/rewrite.ts'
import type { Statement } from '../sql/statement.ts'
import { boundaryStatements, failingCode, failingStatement } from './boundary.ts'
import { duplicateStatement } from './client-statement.ts'
import { sessionOf } from './connection-state.ts'
import type { ConnectionState, SessionState } from './connection-state.ts'
import { asksForData } from './extended-protocol.ts'
import type { Frame } from './extended-protocol.ts'
import { showsIsolation } from './isolation-shown.ts'
import type { QueryRecord } from './query-record.ts'
import { explainRefusal, inClientNames, inPlaceOf } from './refusal-hints.ts'
import { keptBack, passedOn } from './reply.ts'
import type { ReplyVerdict } from './reply.ts'
import { setConfigEffect } from './set-config-effect.ts'
import type { SetConfigEffect } from './set-config-effect.ts'
import { showsWarnings } from './settings.ts'
import { realName } from './real-statements.ts'
import { nameTaken, unreadableText } from './shared-session.ts'
import { planStatement } from './statement-plan.ts'
import { withFault } from './plan.ts'
import type { StatementPlan } from './plan.ts'
import type { Unit } from './unit.ts'
import { UnitContext } from './plan-context.ts'
import type { QueryAnswers } from './unit-end.ts'
import { deallocate, endPortals, endsTransaction, noteLeftovers, noteNames } from './unit-names.ts'
import { noteSetConfig, withEffect, withLocalsEnded } from './unit-set-config.ts'
import { substitutes } from './statement-texts.ts'
import { TextNames } from './text-names.ts'
import type { NameMeaning } from './text-names.ts'
import { closeStatement } from './temporary-objects.ts'

/** Translates a simple Query, which is a whole unit. */
export function translateQuery(unit: Unit, frame: Frame): void {
  const known = unit.owner.texts.know(readCString(frame.buffer, frame.start + 5, frame.end))
  const { text, statements } = known
  expectEnd(frame.buffer.indexOf(0, frame.start + 5) + 1, frame.end)
  const unreadable = unreadableText(unit, text)
  if (unreadable !== undefined) {
    unit.refuseStatement(unreadable, unit.record(text, []))
    unit.complete(syncMessage)
    return
  }
  // Like the server, a simple Query drops the unnamed statement and the unnamed portal.
  unit.owner.names.statements.delete('')
  unit.world.stalePortals.push(...unit.owner.names.dropUnnamedPortal())
  const [first] = statements
  const alone = statements.length === 1 && first !== undefined ? runAlone(unit, first, frame.fault) : undefined
  if (alone === 'done') {
    unit.complete(syncMessage)
    return
  }
  unit.beginsTransaction = first?.kind === 'begin'
  const query = new QueryTranslation(unit, text, statements, alone, frame.fault)
  if (query.isAllOurs) {
    query.runOurs()
    unit.complete(syncMessage)
    return
  }
  unit.onlyReads &&= known.isPlainRead
  unit.real()
  if (known.readsGuard) unit.world.hideGuard(unit.planned)
  // Now, not when the first answer comes: a statement that never ends is to be named as well.
  unit.text = text
  unit.world.unnamedStatement = undefined
  if (unit.world.nesting.isProbing && query.hasCommit) unit.hold(() => send(unit, query, encodeQuery(text)))
  else send(unit, query, frame.buffer.subarray(frame.start, frame.end))
}

/** Sends the text rewritten, or as it is. */
function send(unit: Unit, query: QueryTranslation, asItIs: Buffer): void {
  query.begin()
  unit.complete(query.rewritten === undefined ? asItIs : encodeQuery(query.rewritten.text), query)
}

/** Nothing of the plan is for the server. */
function needsNothing(plan: StatementPlan): boolean {
  return plan.controls.length === 0 && plan.boundary === undefined && plan.checksConstraints !== true
}

/** Carries out a lone statement that never reaches the server as it is; or returns the plan with which it is sent. */
function runAlone(unit: Unit, statement: Statement, fault: Frame['fault']): StatementPlan | 'done' {
  const { names } = unit.owner
  if (unit.planned.status !== 'failed' && fault?.error === undefined) {
    if (statement.kind === 'prepare' && names.statements.has(statement.name)) {
      unit.refuseStatement(duplicateStatement(statement.name), unit.record(statement.text, []))
      return 'done'
    }
    if (statement.kind === 'deallocate' && names.statements.has(statement.name)) {
      deallocate(unit, statement)
      return 'done'
    }
  }
  const plan = withFault(planAt(unit, statement, unit.planned, false), fault?.error)
  if (plan.forward) return plan
  unit.fault = fault?.injected
  unit.run(plan, statement)
  unit.fault = undefined
  if (plan.error === undefined && endsTransaction(statement)) endPortals(unit)
  return 'done'
}

function planAt(
  unit: Unit,
  statement: Statement,
  state: ConnectionState,
  implicitBlock: boolean,
  startsUnit = true,
  sessionBeforeUnit: SessionState = unit.atBoundary,
): StatementPlan {
  return planStatement(statement, state, new UnitContext(unit, implicitBlock, startsUnit, [], sessionBeforeUnit))
}

/** The prepared statement that a statement names. */
function namedBy(statement: Statement): string | undefined {
  const { kind } = statement
  return kind === 'prepare' || kind === 'execute' || kind === 'deallocate' ? statement.name : undefined
}

/** One statement of the text, and what the server runs in its place. */
interface Slot {
  readonly statement: Statement
  readonly plan: StatementPlan
  /** What its calls of set_config do. */
  readonly setConfig: SetConfigEffect | undefined
  /** How many command tags of the server stand for it. */
  tags: number
  /** Real name that a PREPARE makes. */
  readonly prepares: string | undefined
  /** What the name in an EXECUTE or DEALLOCATE means there. */
  readonly means: NameMeaning
  /** Name of the unit's savepoint behind it. */
  savepoint: string
}

/** Marks, as the first thing that runs, that the whole text has been parsed: nothing is answered before that. */
const parsedMarker = 'SET LOCAL vivarium.parsed TO 1'

/**
 * A query text of any number of statements. Transaction commands are rewritten in place, never split off: the server
 * parses the whole text before it runs the first statement.
 */
class QueryTranslation implements QueryAnswers {
  rewritten: RewrittenText | undefined
  readonly #unit: Unit
  readonly #text: string
  readonly #fault: Frame['fault']
  readonly #slots: Slot[] = []
  /** Names in the rewritten text, each with the client's own. */
  readonly #realNames: (readonly [string, string])[] = []
  #index = 0
  #seen = 0
  #record: QueryRecord | undefined
  #end: ConnectionState

  /** `alone`: the plan of its only statement. */
  constructor(
    unit: Unit,
    text: string,
    statements: readonly Statement[],
    alone: StatementPlan | undefined,
    fault: Frame['fault'],
  ) {
    this.#unit = unit
    this.#text = text
    this.#fault = fault
    this.#end = unit.planned
    const { statements: known } = unit.owner.names
    let names: TextNames | undefined
    let atBoundary = unit.atBoundary
    let isDisturbed = false
    for (const statement of statements) {
      const named = namedBy(statement)
      if (named !== undefined || statement.kind === 'deallocateAll') names ??= new TextNames(known)
      const means = named === undefined ? undefined : names?.meaning(named)
      const usual = alone ?? this.#plan(statement, this.#end, statements.length > 1, atBoundary, means)
      const planned = withFault(usual, fault?.index === this.#slots.length ? fault.error : undefined)
      const setConfig =
        planned.forward && statement.mayCallSetConfig
          ? setConfigEffect(statement.text, [], planned.next.settings)
          : undefined
      const plan = withLocalsEnded(withEffect(planned, setConfig), isDisturbed)
      isDisturbed ||= plan.disturbsSettings === true || setConfig?.disturbs === true
      if (plan.boundary !== undefined) {
        atBoundary = sessionOf(plan.next)
        isDisturbed = false
      }
      const isPrepare = statement.kind === 'prepare' && plan.forward
      const prepares = isPrepare ? unit.owner.names.nextSqlStatementName() : undefined
      names?.after(statement, prepares)
      this.#slots.push({ statement, plan, setConfig, tags: 1, prepares, means, savepoint: '' })
      this.#end = plan.next
    }
  }

  /** The unit's savepoint is made: the text is rewritten for it, and from here on its own effects count. */
  begin(): void {
    this.#rewrite()
    const unit = this.#unit
    for (const { statement, plan, setConfig } of this.#slots) {
      if (asksForData(statement)) unit.mayCopyIn = true
      if (plan.disturbsSettings === true) unit.world.disturbSettings()
      if (plan.readOnlyUnit === true) unit.world.unitIsReadOnly()
      if (setConfig !== undefined) noteSetConfig(unit, statement, setConfig)
    }
    unit.planned = this.#end
  }

  /** What checks deferred constraints is part of the text. */
  get hasCommit(): boolean {
    return this.#slots.some(({ plan }) => plan.checksConstraints === true)
  }

  /** Nothing of it is for the server. */
  get isAllOurs(): boolean {
    return (
      this.#slots.length > 0 &&
      this.#slots.every(({ plan }) => !plan.forward && plan.error === undefined && needsNothing(plan))
    )
  }

  #plan(
    statement: Statement,
    state: ConnectionState,
    implicitBlock: boolean,
    atBoundary: SessionState,
    means: NameMeaning,
  ): StatementPlan {
    const { statements } = this.#unit.owner.names
    if (state.status !== 'failed' && means !== undefined) {
      if (statement.kind === 'prepare') {
        return { forward: false, controls: [], error: duplicateStatement(statement.name), next: state }
      }
      const isOurs = statement.kind === 'deallocate' && statements.get(statement.name)?.sqlPrepare === undefined
      if (isOurs && means === 'from before') {
        return { forward: false, controls: [], tag: 'DEALLOCATE', next: state }
      }
    }
    return planAt(this.#unit, statement, state, implicitBlock, this.#slots.length === 0, atBoundary)
  }

  #rewrite(): void {
    const { world } = this.#unit
    const replacements: Replacement[] = []
    let savepoint = world.unitSavepointName
    let index = -1
    for (const slot of this.#slots) {
      index++
      const { statement, plan } = slot
      if (plan.error !== undefined) replacements.push({ ...statement.span, text: failingStatement })
      else if (plan.forward) replacements.push(...this.#renamed(slot))
      else {
        const boundary =
          plan.boundary === undefined
            ? undefined
            : boundaryStatements(plan.boundary, savepoint, world.frames.current.unitName)
        const run = [
          ...(index === 0 && plan.controls.length === 0 && boundary === undefined ? [parsedMarker] : []),
          ...(plan.checksConstraints === true ? world.constraintCheck : []),
          ...plan.controls,
          ...this.#onCommit(slot),
          ...(boundary?.statements ?? []),
          ...(plan.afterBoundary ?? []),
        ]
        savepoint = boundary?.savepoint ?? savepoint
        slot.tags = run.length
        replacements.push({ ...statement.span, text: run.join('; ') })
      }
      slot.savepoint = savepoint
    }
    if (replacements.length > 0) this.rewritten = replaceSpans(this.#text, replacements)
  }

  /**
   * What a COMMIT in the text ends. Cursors come first: a temporary table cannot be dropped while one is open on it. When
   * nothing follows they go with the next unit's prefix.
   */
  #onCommit(slot: Slot): readonly string[] {
    const index = this.#slots.indexOf(slot)
    const steps = slot.plan.onCommit ?? []
    const { owner, world } = this.#unit
    const follows = slot.plan.boundary === 'keep' && index < this.#slots.length - 1
    if (steps.length === 0 && !(follows && world.routines.canRunBlocks)) return steps
    const names = owner.names.openNames()
    for (const { statement } of this.#slots.slice(0, index)) {
      if (statement.kind === 'declareCursor') names.push(statement.name)
    }
    return names.length === 0 ? steps : [closeStatement(names), ...steps]
  }

  /** The server may have something to say about what ON COMMIT asks for. */
  onNotice(fields: MessageFields): boolean {
    const carriesOutOnCommit = this.#slots.some(({ plan }) => plan.onCommit !== undefined && plan.onCommit.length > 0)
    return carriesOutOnCommit && this.#unit.world.noticed(fields)
  }

  #renamed({ statement, plan, prepares, means }: Slot): readonly Replacement[] {
    if (statement.kind !== 'prepare' && statement.kind !== 'execute' && statement.kind !== 'deallocate') {
      return substitutes(statement)
    }
    // In a failed transaction it is refused whatever it names.
    if (plan.next.status === 'failed') return []
    const known = means === 'from before' ? realName(this.#unit, statement.name) : means?.madeAs
    const name = prepares ?? known
    if (name === undefined) return []
    this.#realNames.push([name, statement.name])
    return [{ ...statement.nameSpan, text: name }]
  }

  /** Carries out a text that is all ours. */
  runOurs(): void {
    const first = this.#slots[0]
    if (first === undefined) return
    this.#unit.planned = this.#unit.owner.state
    for (const { statement, plan } of this.#slots) {
      if (statement.kind === 'deallocate') deallocate(this.#unit, statement)
      else this.#unit.run(plan, statement)
    }
  }

  /** The server is at our text: what stands before its first own statement is due. */
  onReached(): void {
    for (const bytes of this.#advance()) this.#unit.session.say(bytes)
  }

  /** Rows of our own statements are not the client's. */
  showsRows(): boolean {
    return this.#slots[this.#index]?.plan.forward ?? true
  }

  onTag(tag: string | undefined): ReplyVerdict {
    const slot = this.#slots[this.#index]
    // An empty query: no statement, one answer.
    if (slot === undefined) return passedOn
    this.#seen++
    if (this.#seen < slot.tags) return keptBack
    const isLast = this.#index === this.#slots.length - 1
    const own = slot.plan.forward ? undefined : this.#ownAnswer(slot)
    if (slot.plan.forward) this.#forwarded(slot, tag)
    this.#index++
    const advanced = this.#advance()
    const after = own === undefined ? advanced : [...own, ...advanced]
    const told = tag === undefined ? undefined : this.#tagOf(slot, tag)
    if (this.#index === this.#slots.length && this.#unit.holdsLastTag) {
      if (!isLast || !slot.plan.forward) this.#unit.heldTag = after.pop()
      else if (told !== undefined) {
        this.#unit.heldTag = encodeCommandComplete(told)
        return keptBack
      }
    }
    if (told !== tag && told !== undefined) return { forward: false, after: [encodeCommandComplete(told), ...after] }
    if (after.length === 0) return slot.plan.forward ? passedOn : keptBack
    return { forward: slot.plan.forward, after }
  }

  /** Another statement ran in place of a SHOW. */
  #tagOf({ statement }: Slot, tag: string): string {
    return showsIsolation(statement) ? 'SHOW' : tag
  }

  #forwarded(slot: Slot, tag: string | undefined): void {
    const { statement, plan, setConfig } = slot
    // Again, now that it has run: a COMMIT before it has made the settings the connection's.
    if (plan.disturbsSettings === true || setConfig?.disturbs === true) this.#unit.world.disturbSettings()
    if (this.#record !== undefined)
      this.#unit.completed(this.#record, tag === undefined ? tag : this.#tagOf(slot, tag), plan.next)
    noteLeftovers(this.#unit, statement, [])
    noteNames(this.#unit, statement, slot.prepares)
  }

  #ownAnswer(slot: Slot): Buffer[] {
    const { plan } = slot
    const unit = this.#unit
    if (this.#record !== undefined) unit.completedOurs(this.#record, plan)
    if (plan.boundary !== undefined) {
      unit.world.stalePortals.push(...unit.owner.names.endTransaction())
      unit.world.unitRestarted(plan.next.settings, slot.savepoint)
      if (plan.disturbsSettings === true) unit.world.disturbSettings()
      unit.atBoundary = sessionOf(plan.next)
    }
    const bytes: Buffer[] = []
    if (this.#index === 0) bytes.push(...this.#notice(plan))
    bytes.push(encodeCommandComplete(plan.tag ?? ''))
    if (slot.statement.kind === 'deallocate') unit.owner.names.statements.delete(slot.statement.name)
    if (plan.forgets !== undefined) unit.owner.forget(plan.forgets)
    return bytes
  }

  /** The first statement's notice waits for its answer: until then the text may not even parse. */
  #notice(plan: StatementPlan): Buffer[] {
    const { settings } = this.#unit.owner.state
    return plan.notice !== undefined && showsWarnings(settings) ? [encodeOwnMessage(plan.notice)] : []
  }

  /** Steps over statements that have nothing to await, and begins the next one. */
  #advance(): Buffer[] {
    const bytes: Buffer[] = []
    for (;;) {
      const slot = this.#slots[this.#index]
      this.#seen = 0
      if (slot === undefined) return bytes
      const unit = this.#unit
      if (this.#fault?.index === this.#index) unit.fault = this.#fault.injected
      this.#record = unit.record(slot.statement.text, [], unit.owner.state)
      unit.fault = undefined
      this.#unit.note(slot.plan, slot.statement)
      if (this.#index > 0) bytes.push(...this.#notice(slot.plan))
      if (slot.tags > 0) return bytes
      bytes.push(...this.#ownAnswer(slot))
      this.#index++
    }
  }

  onError(fields: MessageFields): Buffer | undefined {
    const slot = this.#slots[this.#index]
    // The text may also have failed as a whole, before its first statement ran.
    if (slot?.plan.error !== undefined && fields['C'] === failingCode) {
      const { code, message } = slot.plan.error
      this.#unit.failed({ C: code, M: message }, this.#record, slot.plan.nextOnError)
      return encodeOwnMessage(slot.plan.error)
    }
    // A text that does not parse has not begun to do anything.
    this.#unit.failed(fields, this.#record, fields['C'] === '42601' ? undefined : slot?.plan.nextOnError)
    const { state } = this.#unit.owner
    const violation = inPlaceOf(fields, this.#unit.copyViolation)
    if (violation !== undefined) return violation
    const taken = (): string | undefined => nameTaken(this.#unit, slot?.statement)
    return (
      explainRefusal(fields, slot?.statement, state, this.rewritten, taken) ?? inClientNames(fields, this.#realNames)
    )
  }
}
