import type { ClientNames } from './client-names.ts'
import type { Leaver } from './session-leftovers.ts'
import type { Settings } from './settings.ts'
import type { StatementTexts } from './statement-texts.ts'

/** What a unit needs of the virtual connection that it belongs to. */
export interface UnitOwner extends Leaver {
  /** Its statements are Vivarium's, not the application's. */
  readonly isOwn: boolean
  readonly names: ClientNames
  readonly texts: StatementTexts
  /** The settings that the connection's start-up asked for. */
  readonly initialSettings: Settings
  forget(what: 'statements' | 'session'): void
  /** The application asked for the end of its own connection. */
  terminateItself(): void
  /** Reports that are due to the client, by what the server has last reported to whoever had the session. */
  dueReports(reported: ReadonlyMap<string, string>): readonly Buffer[]
  /** A transaction began: for the report, should it be left open. */
  transactionBegan(text: string): void
}
