import type { Statement } from '../sql/statement.ts'

/**
 * The settings that one virtual connection has made for its session, as statements that make them again. Immutable, so
 * that a transaction's rollback is a step back to an earlier value. Two with the same `key` have the same effect.
 */
export interface Settings {
  readonly key: string
  /** SET statements by setting name. */
  readonly statements: ReadonlyMap<string, string>
  /** What is set until the transaction's end only: statements that set it again, by setting name. Not in `key`. */
  readonly locals?: Locals
}

/** Settings of a transaction. */
export interface Locals {
  readonly statements: ReadonlyMap<string, string>
  /** Something was set whose name or value cannot be read from the statement. */
  readonly hasUnknown: boolean
}

function toSettings(statements: ReadonlyMap<string, string>, locals?: Locals): Settings {
  const key = [...statements.values()].join(';')
  return locals === undefined ? { key, statements } : { key, statements, locals }
}

/** What a session has that nobody changed. */
export const noSettings: Settings = toSettings(new Map())

/** Stands for "we no longer know what is set": differs from everything, so the next unit starts from a reset. */
export const unknownSettings: Settings = { key: '\0unknown', statements: new Map() }

export function withSetting(settings: Settings, name: string, statement: string): Settings {
  const statements = new Map(settings.statements)
  statements.delete(name)
  statements.set(name, statement)
  return toSettings(statements, withoutLocal(settings.locals, name))
}

function withoutLocal(locals: Locals | undefined, name: string): Locals | undefined {
  if (locals?.statements.has(name) !== true) return locals
  const statements = new Map(locals.statements)
  statements.delete(name)
  return { ...locals, statements }
}

/** With a setting of the transaction; without a statement, with one that cannot be made again. */
export function withLocal(settings: Settings, name: string, statement: string | undefined): Settings {
  const { locals } = settings
  const statements = new Map(locals?.statements)
  statements.delete(name)
  if (statement !== undefined) statements.set(name, statement)
  return { ...settings, locals: { statements, hasUnknown: locals?.hasUnknown === true || statement === undefined } }
}

/** As they are once the transaction has ended. */
export function withoutLocals(settings: Settings): Settings {
  return settings.locals === undefined ? settings : toSettings(settings.statements)
}

function withoutSetting(settings: Settings, name: string): Settings {
  const locals = withoutLocal(settings.locals, name)
  if (!settings.statements.has(name)) return locals === settings.locals ? settings : { ...settings, locals }
  const statements = new Map(settings.statements)
  statements.delete(name)
  return toSettings(statements, locals)
}

/**
 * Settings that end a session or a transaction from the server's side. On the one real session they would end every
 * connection of the sandbox at once, so they are never forwarded.
 */
const sessionEnding: ReadonlySet<string> = new Set([
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
  'transaction_timeout',
])

export function endsSession(name: string): boolean {
  return sessionEnding.has(name)
}

/** Hides the guard of `sessionParameters` from an application that asks for this setting. */
export const guardSetting = 'default_transaction_read_only'
export const guardOffStatement: string = `SET ${guardSetting} TO off`

/** The connection's transactions are read-only unless they say otherwise. */
export function isReadOnlyByDefault(settings: Settings): boolean {
  const statement = settings.statements.get(guardSetting)
  return statement !== undefined && /\b(?:on|true|yes|1)\b/i.test(statement.slice(statement.indexOf(guardSetting)))
}

/** The statements that take a session from what is `applied` to what is `wanted`; none when it is there already. */
export function settingsSteps(applied: Settings, wanted: Settings): string[] {
  if (applied.key === wanted.key) return []
  const steps: string[] = []
  if (applied !== noSettings) {
    const known = applied !== unknownSettings
    if (!known || applied.statements.has('session_authorization')) steps.push('RESET SESSION AUTHORIZATION')
    if (!known || applied.statements.has('role')) steps.push('RESET ROLE')
    steps.push('RESET ALL')
  }
  // Who we are comes first: it decides what else may be set.
  for (const name of ['session_authorization', 'role']) {
    const statement = wanted.statements.get(name)
    if (statement !== undefined) steps.push(statement)
  }
  for (const [name, statement] of wanted.statements) {
    if (name !== 'session_authorization' && name !== 'role') steps.push(statement)
  }
  return steps
}

/** The statements that make a transaction's settings again, whatever the session has now. */
export function resumeSteps(wanted: Settings): string[] {
  return [...settingsSteps(unknownSettings, wanted), ...(wanted.locals?.statements.values() ?? [])]
}

/** The settings after a SET of the session succeeded. */
export function afterSet(
  settings: Settings,
  statement: Extract<Statement, { kind: 'set' }>,
  initial: Settings,
): Settings {
  if (statement.isDefault) return restoreInitial(settings, statement.name, initial)
  const changed = withSetting(settings, statement.name, statement.replay)
  // SET SESSION AUTHORIZATION also sets the role to "none" (documentation of SET SESSION AUTHORIZATION).
  return statement.name === 'session_authorization' ? withoutSetting(changed, 'role') : changed
}

/** The settings after a RESET succeeded: what the connection's start-up asked for is its default. */
export function restoreInitial(settings: Settings, name: string, initial: Settings): Settings {
  const statement = initial.statements.get(name)
  return statement === undefined ? withoutSetting(settings, name) : withSetting(settings, name, statement)
}

/** Whether warnings reach the client: `client_min_messages` may say that only errors do. */
export function showsWarnings(settings: Settings): boolean {
  return !/\b(error|fatal|panic)\b/i.test(settings.statements.get('client_min_messages') ?? '')
}
