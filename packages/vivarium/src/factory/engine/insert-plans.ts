import { quoteLiteral } from '../../postgres/connection/client.ts'
import type { Column, Table } from '../catalogue/catalogue.ts'
import { Reference } from '../plan/row-plan.ts'
import type { RowPlan } from '../plan/row-plan.ts'
import { policySettings } from '../checks/policy-settings.ts'
import { toBatches } from './batches.ts'
import type { Batch } from './batches.ts'
import { StatementFailed } from './factory-connection.ts'
import type { FactoryConnection, FactoryStatement, TextRow } from './factory-connection.ts'
import { fieldText } from './field-text.ts'
import { insertStatements } from './insert-statement.ts'
import type { Field } from './insert-statement.ts'
import { rowRefused, rowsMissing } from './refusals.ts'

/** Inserts planned rows and all that they need, in one transaction; the rows as the database holds them. */
export async function insertPlans(
  connection: FactoryConnection,
  roots: readonly RowPlan[],
  { isOpen }: { readonly isOpen: boolean },
): Promise<ReadonlyMap<RowPlan, TextRow>> {
  const insertion = new Insertion(connection, toBatches(roots), isOpen)
  await insertion.run()
  return insertion.inserted
}

/** A statement that is to be sent, and the rows that it inserts. */
interface Sent {
  readonly statement: FactoryStatement
  readonly batch: Batch | undefined
}

class Insertion {
  readonly inserted = new Map<RowPlan, TextRow>()
  readonly #connection: FactoryConnection
  readonly #batches: readonly Batch[]
  readonly #reserved = new Map<RowPlan, Map<string, string>>()
  readonly #hasPlainSequences: boolean
  #unit: Sent[] = []
  /** Rows whose insert is in the unit. */
  #sending = new Map<RowPlan, Batch>()
  #inTransaction = false
  /** A transaction is open already, and not ours to end. */
  readonly #isOpen: boolean

  constructor(connection: FactoryConnection, batches: readonly Batch[], isOpen: boolean) {
    this.#isOpen = isOpen
    this.#connection = connection
    this.#batches = batches
    this.#hasPlainSequences = batches.every(
      ({ table }, index) => hasPlainSequences(table) && batches.findIndex((batch) => batch.table === table) === index,
    )
  }

  async run(): Promise<void> {
    try {
      await this.#reserve()
      if (this.#batches.some(({ rows }) => rows.some(({ followers }) => followers.length > 0))) {
        this.#begin()
        this.#send({ text: 'SET CONSTRAINTS ALL DEFERRED', params: [] })
      }
      for (const batch of this.#batches) {
        if (this.#waitsFor(batch)) {
          this.#begin()
          await this.#flush()
        }
        this.#insert(batch)
      }
      if (this.#inTransaction) this.#send({ text: 'COMMIT', params: [] })
      await this.#flush()
    } catch (error) {
      if (this.#inTransaction) await this.#connection.run([{ text: 'ROLLBACK', params: [] }]).catch(() => undefined)
      throw error
    }
  }

  /** Takes from their sequences what rows are referred to by before they exist. */
  async #reserve(): Promise<void> {
    const rows = this.#batches.flatMap(({ rows: all }) => all.filter(({ reserved }) => reserved.size > 0))
    if (rows.length === 0) return
    const wanted = rows.flatMap((row) => [...row.reserved].map((column) => ({ row, column })))
    const statements = wanted.map(({ row, column }) => {
      const found = row.table.columns.find(({ name }) => name === column)
      const next =
        found?.sequence === undefined ? found?.default : `pg_catalog.nextval(${quoteLiteral(found.sequence)})`
      return { text: `SELECT (${next})::text`, params: [] }
    })
    const results = await this.#connection.run(statements)
    wanted.forEach(({ row, column }, index) => {
      const ofRow = this.#reserved.get(row) ?? new Map<string, string>()
      this.#reserved.set(row, ofRow.set(column, results[index]?.[0]?.[0] ?? ''))
    })
  }

  #begin(): void {
    if (this.#inTransaction || this.#isOpen) return
    this.#inTransaction = true
    this.#unit.unshift({ statement: { text: 'BEGIN', params: [] }, batch: undefined })
  }

  #send(statement: FactoryStatement, batch?: Batch): void {
    this.#unit.push({ statement, batch })
  }

  /** Whether a row refers to one that is on its way, by a value that only its answer tells. */
  #waitsFor({ table, rows }: Batch): boolean {
    for (const row of rows) {
      for (const [column, value] of row.values) {
        if (!(value instanceof Reference)) continue
        const found = this.#find(row, column)
        if (found.kind !== 'pending') continue
        const isSet = policySettings(table).some((one) => one.column === column)
        if (isSet || rows.length > 1 || table.hasTriggers || this.#lastOf(found) === undefined) return true
      }
    }
    return false
  }

  /** Where a sent row's value will have come from, if its sequence can be asked for it. */
  #lastOf({ row, column }: Pending): string | undefined {
    const isOnlyOne = this.#hasPlainSequences && this.#sending.get(row)?.rows.length === 1
    return isOnlyOne && !row.values.has(column)
      ? row.table.columns.find(({ name }) => name === column)?.sequence
      : undefined
  }

  #insert(batch: Batch): void {
    const { table, rows } = batch
    const columns = table.columns.filter(({ name }) =>
      rows.some((row) => row.values.has(name) || row.reserved.has(name)),
    )
    const fields = rows.map((row) => columns.map((column) => this.#fieldOf(row, column)))
    // A statement that had to be cut inserts its share of the rows.
    let from = 0
    for (const statement of insertStatements({ table, columns, rows: fields, settings: policySettings(table) })) {
      const share = statement.rowCount
      this.#send(statement, { table, rows: rows.slice(from, from + share) })
      from += share
    }
    for (const row of rows) this.#sending.set(row, batch)
  }

  #fieldOf(row: RowPlan, column: Column): Field {
    const found = this.#find(row, column.name)
    switch (found.kind) {
      case 'text':
        return { kind: 'value', text: found.text }
      case 'value':
        return { kind: 'value', text: fieldText(row.table, column, found.value) }
      case 'none':
        return { kind: 'default' }
      case 'pending':
        return { kind: 'last', sequence: this.#lastOf(found) ?? '' }
    }
  }

  #find(row: RowPlan, column: string): Found {
    const reserved = this.#reserved.get(row)?.get(column)
    if (reserved !== undefined) return { kind: 'text', text: reserved }
    const value = row.values.get(column)
    if (!(value instanceof Reference)) return row.values.has(column) ? { kind: 'value', value } : { kind: 'none' }
    const parent = this.inserted.get(value.row)
    if (parent !== undefined) {
      const index = value.row.table.columns.findIndex(({ name }) => name === value.column)
      return { kind: 'text', text: parent[index] ?? null }
    }
    const found = this.#find(value.row, value.column)
    return found.kind === 'none' ? { kind: 'pending', row: value.row, column: value.column } : found
  }

  async #flush(): Promise<void> {
    const unit = this.#unit
    this.#unit = []
    if (unit.length === 0) return
    let results: readonly (readonly TextRow[])[]
    try {
      results = await this.#connection.run(unit.map(({ statement }) => statement))
    } catch (error) {
      if (error instanceof StatementFailed) throw rowRefused(unit[error.index]?.batch, this.#batches, error.server)
      throw error
    }
    unit.forEach(({ batch }, index) => {
      if (batch === undefined) return
      const rows = results[index] ?? []
      if (rows.length !== batch.rows.length) throw rowsMissing(batch.table, batch.rows.length, rows.length)
      batch.rows.forEach((row, place) => this.inserted.set(row, rows[place] ?? []))
    })
    this.#sending.clear()
  }
}

/** A row on its way whose value for the column only the database knows. */
interface Pending {
  readonly row: RowPlan
  readonly column: string
}

type Found =
  | { readonly kind: 'text'; readonly text: string | null }
  | { readonly kind: 'value'; readonly value: unknown }
  | ({ readonly kind: 'pending' } & Pending)
  | { readonly kind: 'none' }

/** Whether a row inserted into the table takes numbers from nobody's sequences but its own columns'. */
function hasPlainSequences({ hasTriggers, columns }: Table): boolean {
  return (
    !hasTriggers &&
    columns.every((column) => column.default?.includes('nextval(') !== true || column.sequence !== undefined)
  )
}
