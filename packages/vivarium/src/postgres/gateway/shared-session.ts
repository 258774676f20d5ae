import { quoteLiteral } from '../connection/client.ts'
import type { OwnMessage } from '../protocol/server-message.ts'
import type { Statement } from '../sql/statement.ts'
import { findNamed } from '../sql/temporary-objects.ts'
import { withSettings } from './connection-state.ts'
import { frozenNowWarning } from './differences.ts'
import type { StatementPlan } from './plan.ts'
import { setStatement } from './set-config-effect.ts'
import { withSetting } from './settings.ts'
import type { Unit } from './unit.ts'

/*
 * What is told of a statement because all connections of a sandbox are one session in one transaction.
 */

/**
 * With `standard_conforming_strings` off a backslash escapes the quote behind it, and the gateway would see a string's
 * end where there is none. Such a text is refused; any other reads the same either way.
 */
export function unreadableText({ planned }: Unit, text: string): OwnMessage | undefined {
  if (!text.includes("\\'")) return undefined
  const setting = planned.settings.statements.get('standard_conforming_strings') ?? ''
  if (!/\b(?:off|false|no|0)\b/i.test(setting)) return undefined
  return {
    code: '0A000',
    message: "a sandbox cannot read \\' in a statement while standard_conforming_strings is off",
    hint: 'Write E\'…\' or double the quote, or run the test with isolation "database".',
  }
}

/** Called ahead of each statement of the client. */
export function noteShared(unit: Unit, plan: StatementPlan, statement: Statement): void {
  if (plan.next.temporary !== undefined) unit.world.leftovers.note(unit.owner)
  if (!plan.forward || unit.planned.status === 'failed') return
  if (statement.opensLargeObject) unit.world.leftovers.hasOpenedLargeObject = true
  noteTemporary(unit, statement)
  noteSetters(unit, statement)
  if (statement.readsNow) noteNow(unit, statement)
}

/** A statement that names a routine which sets something for the session: the server is asked what it has set. */
function noteSetters(unit: Unit, statement: Statement): void {
  const { setters } = unit.world.routines
  if (setters === undefined) return
  findNamed(statement.text, (name) => {
    for (const setting of setters[name] ?? []) unit.ask(setting)
    return false
  })
}

/** Asks the server for settings that no text tells, so that they follow their connection as others do. */
export async function askSettings({ world, owner, session, asks }: Unit): Promise<void> {
  if (owner.state.status === 'failed' || world.broken !== undefined) return
  const names = [...asks]
  const [values = []] = await session.query(
    `SELECT ${names.map((name) => `pg_catalog.current_setting(${quoteLiteral(name)}, true)`).join(', ')}`,
  )
  let { settings } = owner.state
  for (const [at, name] of names.entries()) {
    const value = values[at]
    if (value !== null && value !== undefined) settings = withSetting(settings, name, setStatement(name, value, false))
  }
  owner.state = withSettings(owner.state, settings)
  world.follow(settings)
}

/** One session has one set of temporary objects, whoever made them. */
function noteTemporary({ world, owner, level }: Unit, statement: Statement): void {
  if (!world.leftovers.hasOwners) return
  const other = world.leftovers.made(owner, (names) => findNamed(statement.text, names))
  if (other === undefined) return
  level.recorder.warn({
    component: 'postgres',
    kind: 'temp-table',
    message:
      `connection ${owner.id} names "${other.name}", a temporary object of connection ${other.owner.id}: all connections ` +
      'of a sandbox are one session and share them, while in production each has its own',
    text: statement.text,
  })
}

/** now() is when the transaction around the sandbox began, for all of the application's transactions. */
function noteNow({ world, level, planned }: Unit, statement: Statement): void {
  const here = planned.status === 'idle' ? `unit ${level.units}` : `transaction ${planned.transaction.number}`
  const seen = world.levels.find(({ readNowIn }) => readNowIn !== undefined)
  if (seen === undefined) level.readNowIn = here
  else if (seen !== level || seen.readNowIn !== here) {
    const known = level.recorder.fidelityWarnings.some(({ kind }) => kind === frozenNowWarning.kind)
    if (!known) level.recorder.warn({ component: 'postgres', ...frozenNowWarning, text: statement.text })
  }
}

/** For an error that the name of a temporary object is taken: the remedy, when it is another connection's. */
export function nameTaken({ world, owner }: Unit, statement: Statement | undefined): string | undefined {
  if (statement === undefined || statement.temporary.length === 0) return undefined
  const other = world.leftovers.made(owner, (names) => findNamed(statement.text, names))
  if (other === undefined) return undefined
  return (
    `Connection ${other.owner.id} of the same sandbox made it: all connections of a sandbox are one session, so they share ` +
    'their temporary objects. Use one connection, other names, or isolation "database", where each has its own.'
  )
}
