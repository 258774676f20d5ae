import { encodeClose } from '../protocol/frontend.ts'
import type { Statement } from '../sql/statement.ts'
import { madeBySql } from './client-statement.ts'
import type { ClientPortal } from './client-statement.ts'
import type { Unit } from './unit.ts'

/** What follows in the unit is in a transaction of its own: the server commits DISCARD ALL at once. */
export function endsTransaction(statement: Statement): boolean {
  const { kind } = statement
  return kind === 'commit' || kind === 'rollback' || (kind === 'discard' && statement.what === 'all')
}

/** A transaction has ended in mid-unit: its portals and cursors are gone, for what follows in the unit as well. */
export function endPortals(unit: Unit): void {
  const { names } = unit.owner
  const { mark } = names
  for (const [name, portal] of names.portals) {
    names.change('portals', name, undefined)
    closeRealPortal(unit, portal.realName)
  }
  for (const [name, hold] of names.cursors) {
    if (hold) continue
    names.change('cursors', name, undefined)
    closeRealPortal(unit, name)
  }
  if (unit.isReal) unit.session.expect({ until: 'synthetic', visible: false, onSkipped: () => names.takeBack(mark) })
}

/** A CLOSE is on its way that takes portals along: what is bound behind it is not meant. */
export function closePortals(unit: Unit, closed: string | undefined, running: string): void {
  const { names } = unit.owner
  const { mark } = names
  for (const name of names.portals.keys()) {
    if (closed === undefined ? name !== running : name === closed) names.change('portals', name, undefined)
  }
  unit.session.expect({ until: 'synthetic', visible: false, onSkipped: () => names.takeBack(mark) })
}

function closeRealPortal({ isReal, session, world }: Unit, name: string | undefined): void {
  if (name === undefined || name === '') return
  if (!isReal) {
    world.stalePortals.push(name)
    return
  }
  session.send(encodeClose('portal', name))
  session.expect({ until: 'close', visible: false })
}

/** A completed statement has made or dropped a name; `running` is the portal that it ran in. */
export function noteNames(
  unit: Unit,
  statement: Statement | undefined,
  prepares: string | undefined,
  running?: ClientPortal,
): void {
  const { names } = unit.owner
  if (statement?.locksAdvisory === true) {
    unit.world.leftovers.noteLocks(unit.owner, statement.text, running?.params ?? [])
  }
  if (statement?.kind === 'declareCursor') {
    names.cursors.set(statement.name, statement.hold)
    if (statement.hold) unit.world.leftovers.note(unit.owner)
  } else if (statement?.kind === 'closeCursor') {
    if (statement.name === undefined) {
      names.cursors.clear()
      if (running === undefined) names.portals.clear()
    } else {
      names.cursors.delete(statement.name)
      if (running === undefined) names.portals.delete(statement.name)
    }
  } else if (statement?.kind === 'prepare' && prepares !== undefined) noteSqlPrepare(unit, statement, prepares)
  else if (statement?.kind === 'deallocate') {
    const known = names.statements.get(statement.name)
    if (known?.sqlPrepare !== undefined) unit.world.sqlPrepared.delete(known.sqlPrepare.name)
    names.statements.delete(statement.name)
  }
}

/** SQL PREPARE succeeded: the name is the client's, the real one is ours. */
function noteSqlPrepare(unit: Unit, statement: Extract<Statement, { kind: 'prepare' }>, name: string): void {
  unit.world.sqlPrepared.add(name)
  unit.owner.names.statements.set(statement.name, madeBySql(statement, name))
}

/** DEALLOCATE of a name that the client has. */
export function deallocate(unit: Unit, statement: Extract<Statement, { kind: 'deallocate' }>): void {
  const { names } = unit.owner
  const { mark } = names
  const known = names.statements.get(statement.name)
  names.change('statements', statement.name, undefined)
  if (unit.isReal) unit.session.expect({ until: 'synthetic', visible: false, onSkipped: () => names.takeBack(mark) })
  if (known?.sqlPrepare !== undefined && unit.world.sqlPrepared.delete(known.sqlPrepare.name)) {
    unit.real()
    unit.session.closeStatement(known.sqlPrepare.name)
  }
  unit.run({ forward: false, controls: [], tag: 'DEALLOCATE', next: unit.planned }, statement)
}
