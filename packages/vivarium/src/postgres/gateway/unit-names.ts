import { encodeClose } from '../protocol/frontend.ts'
import type { Statement } from '../sql/statement.ts'
import { madeBySql } from './client-statement.ts'
import type { QueryRecord } from './query-record.ts'
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

function closeRealPortal({ isReal, session, world }: Unit, name: string | undefined): void {
  if (name === undefined || name === '') return
  if (!isReal) {
    world.stalePortals.push(name)
    return
  }
  session.send(encodeClose('portal', name))
  session.expect({ until: 'close', visible: false })
}

/** A statement has completed: what it leaves behind that ends with the connection. */
export function noteLeftovers(unit: Unit, statement: Statement | undefined, params: QueryRecord['params']): void {
  const { leftovers } = unit.world
  if (statement?.locksAdvisory === true) leftovers.noteLocks(unit.owner, statement.text, params)
  if (statement?.kind === 'declareCursor' && statement.hold) leftovers.note(unit.owner)
}

/** A statement makes or drops a name; `running` is the portal that it runs in. */
export function noteNames(unit: Unit, statement: Statement, prepares: string | undefined, running?: string): void {
  const { names } = unit.owner
  switch (statement.kind) {
    case 'declareCursor':
      names.change('cursors', statement.name, statement.hold)
      break
    case 'closeCursor':
      for (const name of names.cursors.keys()) {
        if (statement.name === undefined || name === statement.name) names.change('cursors', name, undefined)
      }
      for (const name of names.portals.keys()) {
        if (name !== running && (statement.name === undefined || name === statement.name)) {
          names.change('portals', name, undefined)
        }
      }
      break
    case 'prepare':
      if (prepares === undefined) break
      unit.world.sqlPrepared.add(prepares)
      names.change('statements', statement.name, madeBySql(statement, prepares))
      break
    case 'deallocate': {
      const known = names.statements.get(statement.name)
      if (known?.sqlPrepare !== undefined) unit.world.sqlPrepared.delete(known.sqlPrepare.name)
      names.change('statements', statement.name, undefined)
      break
    }
    default:
  }
}

/**
 * The same ahead of the answer, for the messages behind it in a pipeline. Returns what takes it back should the server
 * refuse or skip the statement; nothing for most, which name nothing.
 */
export function noteNamesAhead(
  unit: Unit,
  statement: Statement,
  prepares: string | undefined,
  running: string,
): (() => void) | undefined {
  const { kind } = statement
  if (kind !== 'declareCursor' && kind !== 'closeCursor' && kind !== 'prepare') return undefined
  const { names } = unit.owner
  const { mark } = names
  noteNames(unit, statement, prepares, running)
  return () => {
    names.takeBack(mark)
    if (prepares !== undefined) unit.world.sqlPrepared.delete(prepares)
  }
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
