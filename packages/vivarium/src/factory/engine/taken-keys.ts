import { quoteIdentifier } from '../../postgres/connection/client.ts'
import type { PostgresServerError } from '../../postgres/connection/server-error.ts'
import type { Table, UniqueKey } from '../catalogue/catalogue.ts'
import { columnsOfKey, keyText } from '../plan/key-values.ts'
import type { TakenKeys } from '../plan/key-values.ts'
import { madeColumns } from '../plan/row-plan.ts'
import type { RowPlan } from '../plan/row-plan.ts'
import { allRows } from './batches.ts'
import type { FactoryConnection } from './factory-connection.ts'

const uniqueViolation = '23505'

/**
 * Keys that somebody else has taken: migrations that fill tables, the application, the test itself. They are looked up when one stands in the way, so
 * that a sandbox pays nothing where none does.
 */
export class KnownKeys implements TakenKeys {
  readonly #keys = new Map<string, ReadonlySet<string>>()

  taken(table: Table, key: UniqueKey): ReadonlySet<string> | undefined {
    return this.#keys.get(nameOf(table, key))
  }

  /** Rows that were refused for a made key that was taken, which is known now: they may be given another one. */
  async learn(
    error: PostgresServerError,
    plans: readonly RowPlan[],
    connection: FactoryConnection,
  ): Promise<readonly RowPlan[]> {
    if (error.code !== uniqueViolation) return []
    const { schema, table: name, constraint } = error.fields
    const rows = allRows(plans).filter(({ table }) => table.schema === schema && table.name === name)
    const table = rows[0]?.table
    const key = table?.uniqueKeys.find((one) => one.name === constraint)
    if (table === undefined || key === undefined) return []
    const columns = columnsOfKey(key)
    const known = this.taken(table, key)
    const read = await readKeys(table, columns, connection)
    this.#keys.set(nameOf(table, key), read)
    // Nothing is known that was not known before: another key would be refused as well.
    if (known !== undefined && read.size <= known.size) return []
    return rows.filter((row) => madeColumns(row).some((column) => columns.includes(column)))
  }
}

function nameOf({ schema, name }: Table, key: UniqueKey): string {
  return `${schema}.${name} ${key.name}`
}

async function readKeys(
  table: Table,
  columns: readonly string[],
  connection: FactoryConnection,
): Promise<ReadonlySet<string>> {
  const list = columns.map((column) => `${quoteIdentifier(column)}::text`).join(', ')
  const text = `SELECT ${list} FROM ${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`
  const [rows = []] = await connection.run([{ text, params: [] }])
  return new Set(rows.flatMap((row) => keyText(row) ?? []))
}
