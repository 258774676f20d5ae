import type { VivariumError } from '../../core/errors.ts'
import type { PostgresServerError } from '../../postgres/connection/server-error.ts'
import { titleOf } from '../catalogue/catalogue.ts'
import type { Table } from '../catalogue/catalogue.ts'
import { factoryError } from '../factory-error.ts'
import type { Batch } from './batches.ts'

/** What the server refused, in the words of the one who has to do something about it. */
export function rowRefused(
  batch: Batch | undefined,
  batches: readonly Batch[],
  error: PostgresServerError,
): VivariumError {
  const { fields } = error
  const named = batches.find(({ table }) => table.name === fields.table && table.schema === fields.schema)
  const table = (named ?? batch ?? batches.at(-1))?.table
  const title = table === undefined ? 'the table' : titleOf(table)
  const detail = fields.detail === undefined ? '' : `. ${fields.detail}`
  return factoryError('FACTORY_ROW_REFUSED', {
    what: `${title} does not take the row: ${fields.message}.`,
    seen: `SQLSTATE ${error.code}${detail}`,
    remedy: fields.hint ?? 'Give what the message names.',
    cause: error,
  })
}

/** A trigger or a rule let some rows not pass. */
export function rowsMissing(table: Table, sent: number, came: number): VivariumError {
  return factoryError('FACTORY_ROW_REFUSED', {
    what: `${titleOf(table)} took ${came} of ${sent} rows, and said nothing.`,
    seen: 'a trigger that returns NULL, or a rule, keeps rows out',
    remedy: 'Give what that trigger or rule lets pass.',
  })
}
