import type { ClientPortal, ClientStatement } from './client-statement.ts'

/** What one virtual connection has named: prepared statements, portals, cursors. */
export class ClientNames {
  readonly statements: Map<string, ClientStatement> = new Map()
  readonly portals: Map<string, ClientPortal> = new Map()
  /** SQL cursors by name, and whether they are WITH HOLD. */
  readonly cursors: Map<string, boolean> = new Map()
  readonly #connection: number
  #sqlStatements = 0

  constructor(connection: number) {
    this.#connection = connection
  }

  /** A real name for a statement that SQL PREPARE is about to make. */
  nextSqlStatementName(): string {
    return `vivarium_q${this.#connection}_${this.#sqlStatements++}`
  }

  /** Real names that the server may mention in an error, each with the client's own. */
  realNames(): (readonly [string, string])[] {
    const pairs: (readonly [string, string])[] = []
    for (const [name, { sqlPrepare }] of this.statements)
      if (sqlPrepare !== undefined) pairs.push([sqlPrepare.name, name])
    return pairs
  }

  /**
   * Real name of a portal. Inside a transaction the unnamed one gets a name, so that nothing of ours or of another
   * connection replaces it between two units.
   */
  portalName(name: string, inTransaction: boolean): string {
    if (name !== '') return name
    return inTransaction ? `vivarium_p${this.#connection}` : ''
  }

  /** The unnamed portal is replaced; returns its real name, which is still to be closed. */
  dropUnnamedPortal(): readonly string[] {
    const realName = this.portals.get('')?.realName
    this.portals.delete('')
    return realName === undefined || realName === '' ? [] : [realName]
  }

  /** Real names of what the end of a transaction closes. */
  openNames(): string[] {
    const open: string[] = []
    for (const { realName } of this.portals.values()) {
      if (realName !== undefined && realName !== '') open.push(realName)
    }
    for (const [name, hold] of this.cursors) if (!hold) open.push(name)
    return open
  }

  /** A transaction has ended: its portals and cursors are gone; returns real names that are still to be closed. */
  endTransaction(): string[] {
    const stale = this.openNames()
    this.portals.clear()
    for (const [name, hold] of this.cursors) if (!hold) this.cursors.delete(name)
    return stale
  }

  /** The client's statements are gone; returns real names of SQL-prepared ones. */
  forgetStatements(): string[] {
    const names: string[] = []
    for (const { sqlPrepare } of this.statements.values()) if (sqlPrepare !== undefined) names.push(sqlPrepare.name)
    this.statements.clear()
    return names
  }
}
