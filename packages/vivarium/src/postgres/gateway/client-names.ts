import type { ClientPortal, ClientStatement } from './client-statement.ts'

const noNames: readonly string[] = []

/** What one virtual connection has named: prepared statements, portals, cursors. */
export class ClientNames {
  readonly statements: Map<string, ClientStatement> = new Map()
  readonly portals: Map<string, ClientPortal> = new Map()
  /** SQL cursors by name, and whether they are WITH HOLD. */
  readonly cursors: Map<string, boolean> = new Map()
  readonly #connection: number
  #sqlStatements = 0
  /** How to take back each change that a message of the unit under way has made, in the order of the messages. */
  #changes: (() => void)[] = []

  constructor(connection: number) {
    this.#connection = connection
  }

  /** Where the changes of a message begin, for {@link takeBack}. */
  get mark(): number {
    return this.#changes.length
  }

  /** The server has skipped the message that was at the mark, and so all behind it: their changes never happened. */
  takeBack(mark: number): void {
    for (const change of this.#changes.splice(mark).toReversed()) change()
  }

  /** Nothing of the unit can be skipped any more. */
  settle(): void {
    if (this.#changes.length > 0) this.#changes = []
  }

  /** Gives a name, or with `undefined` takes it away, as a message says that the server has yet to reach. */
  change<K extends 'statements' | 'portals' | 'cursors'>(
    kind: K,
    name: string,
    value: ReturnType<ClientNames[K]['get']>,
  ): void {
    const names = this[kind] as Map<string, typeof value>
    const before = names.get(name)
    setOrDelete(names, name, value)
    this.#changes.push(() => setOrDelete(names, name, before))
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
    // Only the unnamed portal has another name there, also when a later message has replaced it by now.
    pairs.push([this.portalName('', true), ''])
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
    const unnamed = this.portals.get('')
    if (unnamed === undefined) return noNames
    const { realName } = unnamed
    this.portals.delete('')
    return realName === undefined || realName === '' ? noNames : [realName]
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

  /** A transaction has failed: what was bound in it and not yet executed cannot be any more (portalmem.c, AtAbort_Portals). */
  failPortals(): void {
    for (const [name, portal] of this.portals) {
      // The others fail by themselves, on the server.
      if (portal.statement.isVirtual) this.portals.set(name, { ...portal, isDone: true })
    }
  }

  /** A transaction has ended: its portals and cursors are gone; returns real names that are still to be closed. */
  endTransaction(): readonly string[] {
    if (this.portals.size === 0 && this.cursors.size === 0) return noNames
    const stale = this.openNames()
    // One by one: nearly always it is the unnamed one alone, and `clear` makes a new table.
    for (const name of this.portals.keys()) this.portals.delete(name)
    for (const [name, hold] of this.cursors) if (!hold) this.cursors.delete(name)
    return stale
  }

  /** The client's statements are gone, for the messages behind this one; returns real names of SQL-prepared ones. */
  forgetStatements(): string[] {
    const real: string[] = []
    for (const [name, { sqlPrepare }] of this.statements) {
      // DEALLOCATE ALL and DISCARD ALL leave the unnamed one.
      if (name === '') continue
      if (sqlPrepare !== undefined) real.push(sqlPrepare.name)
      this.change('statements', name, undefined)
    }
    return real
  }

  /** So are its cursors, those WITH HOLD as well. */
  forgetCursors(): void {
    for (const name of this.cursors.keys()) this.change('cursors', name, undefined)
  }
}

function setOrDelete<T>(names: Map<string, T>, name: string, value: T | undefined): void {
  if (value === undefined) names.delete(name)
  else names.set(name, value)
}
