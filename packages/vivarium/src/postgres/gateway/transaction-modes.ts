import type { IsolationLevel, TransactionModes } from '../sql/statement.ts'
import { quoteLiteral } from '../connection/client.ts'
import { isolationWarning } from './differences.ts'
import type { Difference } from './differences.ts'
import type { Settings } from './settings.ts'
import { guardSetting, isReadOnlyByDefault, withSetting } from './settings.ts'

/*
 * READ ONLY is real: a savepoint of ours holds it, whose release gives back what was before (xact.c,
 * CommitSubTransaction). The isolation level cannot be changed in a transaction that has begun (25001): what was asked
 * for is kept in a setting of ours, which is what the application is shown.
 */

/** Holds the application's level where it is not its session's default. */
export const isolationSetting = 'vivarium.transaction_isolation'

const readOnlySavepoint = 'vivarium_read_only'

/** What a connection's session says a transaction is when it says nothing itself. */
export function defaultIsolation(settings: Settings): IsolationLevel | undefined {
  const statement = settings.statements.get('default_transaction_isolation')
  if (statement === undefined) return undefined
  return isolationLevels.find((level) => statement.toLowerCase().includes(level))
}

/** As SHOW prints them. */
export const isolationLevels: readonly IsolationLevel[] = [
  'serializable',
  'repeatable read',
  'read committed',
  'read uncommitted',
]

/** The modes that a BEGIN really has: its own, else the session's. */
export function modesOf(asked: TransactionModes, settings: Settings): TransactionModes {
  const isolation = asked.isolation ?? defaultIsolation(settings)
  const readOnly = asked.readOnly ?? isReadOnlyByDefault(settings)
  return isolation === undefined ? { readOnly } : { readOnly, isolation }
}

/** Makes a transaction's session READ ONLY. */
export const beginReadOnly: readonly string[] = [`SAVEPOINT ${readOnlySavepoint}`, 'SET TRANSACTION READ ONLY']

/** Statements that begin a transaction with these modes; the session's own defaults need none. */
export function beginSteps({ readOnly, isolation }: TransactionModes, settings: Settings): string[] {
  const steps = readOnly === true ? [...beginReadOnly] : []
  if (isolation !== undefined && isolation !== defaultIsolation(settings)) steps.push(showIsolation(isolation))
  return steps
}

/** From here on to the transaction's end the application is shown this level. */
export function showIsolation(isolation: IsolationLevel): string {
  return `SET LOCAL ${isolationSetting} TO ${quoteLiteral(isolation)}`
}

/** Makes a READ ONLY transaction's session writable again. */
export const endReadOnly: string = `RELEASE SAVEPOINT ${readOnlySavepoint}`

export function isolationDifference(isolation: IsolationLevel | undefined): Difference | undefined {
  const isGiven = isolation === undefined || isolation === 'read committed' || isolation === 'read uncommitted'
  return isGiven ? undefined : isolationWarning(isolation)
}

/** SET SESSION CHARACTERISTICS as the settings that it makes. */
export function withCharacteristics(
  modes: TransactionModes,
  settings: Settings,
): { settings: Settings; statements: string[] } {
  const statements: string[] = []
  let changed = settings
  const set = (name: string, value: string): void => {
    const statement = `SET ${name} TO ${value}`
    statements.push(statement)
    changed = withSetting(changed, name, statement)
  }
  if (modes.isolation !== undefined) set('default_transaction_isolation', quoteLiteral(modes.isolation))
  if (modes.readOnly !== undefined) set(guardSetting, modes.readOnly ? 'on' : 'off')
  if (modes.deferrable !== undefined) set('default_transaction_deferrable', modes.deferrable ? 'on' : 'off')
  return { settings: changed, statements }
}
