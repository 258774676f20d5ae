import type { VivariumError } from '../../core/errors.ts'
import type { PostgresServerError } from '../../postgres/connection/server-error.ts'
import type { ServerMessage } from '../../postgres/protocol/server-message.ts'
import { titleOf } from '../catalogue/catalogue.ts'
import type { Table } from '../catalogue/catalogue.ts'
import { rulesOf } from '../checks/table-rules.ts'
import { factoryError } from '../factory-error.ts'
import { columnsOfKey } from '../plan/key-values.ts'
import { parentNames } from '../plan/attributes.ts'
import type { Batch } from './batches.ts'

/** What is said of a refusal. */
interface Refusal {
  readonly what: string
  readonly seen: string
  readonly remedy: string
}

/** What the server refused, in the words of the one who has to do something about it. */
export function rowRefused(
  batch: Batch | undefined,
  batches: readonly Batch[],
  error: PostgresServerError,
): VivariumError {
  const { fields } = error
  const named = batches.find(({ table }) => table.name === fields.table && table.schema === fields.schema)
  const table = (named ?? batch ?? batches.at(-1))?.table
  const refusal = (table && explanations[error.code]?.(table, fields)) ?? plainRefusal(table, fields)
  return factoryError('FACTORY_ROW_REFUSED', { ...refusal, cause: error })
}

function plainRefusal(table: Table | undefined, { code, message, detail, hint }: ServerMessage): Refusal {
  const isRaised = code.startsWith('P0')
  return {
    what: `The database does not take the row of ${table === undefined ? 'its table' : titleOf(table)}: ${message}.`,
    seen: `SQLSTATE ${code}${detail === undefined ? '' : `; ${detail}`}`,
    remedy: hint ?? (isRaised ? 'A trigger says so: give what it asks for.' : 'Give what the message names.'),
  }
}

const explanations: Readonly<Record<string, (table: Table, fields: ServerMessage) => Refusal | undefined>> = {
  '23502': (table, { column = '', message }) => ({
    what: `${titleOf(table)}.${column} cannot be NULL.`,
    seen: message,
    remedy: `Give '${column}' a value, or leave it out: then one is made.`,
  }),
  '23503': (table, { constraint = '', detail = '' }) => {
    const key = table.foreignKeys.find(({ name }) => name === constraint)
    if (key === undefined) return undefined
    const [name = key.name] = parentNames(table, key)
    return {
      what: `A row of ${titleOf(table)} refers to a row of ${key.table} that is not there (${constraint}).`,
      seen: detail,
      remedy: `Give a row of ${key.table} that is there: { ${name}: row }; or leave ${listed(key.columns)} out: then one is made.`,
    }
  },
  '23505': (table, { constraint = '', detail = '' }) => {
    const key = table.uniqueKeys.find(({ name }) => name === constraint)
    const columns = key === undefined ? [] : columnsOfKey(key)
    return {
      what: `${titleOf(table)} has such a row already: ${listed(columns)} must be unique (${constraint}).`,
      seen: detail,
      remedy: `Give another ${columns.map((column) => `'${column}'`).join(' or ')}, or leave it out: then a new one is made.`,
    }
  },
  '23514': (table, { constraint = '', detail = '' }) => {
    const check = table.checks.find(({ name }) => name === constraint)
    if (check === undefined) return undefined
    const isUnread = rulesOf(table).unread.some(({ name }) => name === constraint)
    const columns = table.columns.filter(({ name }) => check.sql.includes(name)).map(({ name }) => name)
    return {
      what: `A row of ${titleOf(table)} does not satisfy ${constraint}.`,
      seen: `CHECK ${check.sql}${detail === '' ? '' : `; ${detail}`}`,
      remedy:
        (isUnread ? 'Factories cannot read this constraint. ' : '') +
        `Give values that it admits: { ${columns.map((column) => `${column}: …`).join(', ')} }.`,
    }
  },
  '23P01': (table, { constraint = '', detail = '' }) => {
    const exclusion = table.exclusions.find(({ name }) => name === constraint)
    const elements = exclusion?.elements.map(({ sql, operator }) => `${sql} WITH ${operator}`).join(', ')
    return {
      what: `${titleOf(table)} has a row that excludes this one (${constraint}).`,
      seen: `EXCLUDE (${elements ?? ''}); ${detail}`,
      remedy: 'Give values that do not meet those of the other row, or leave them out: then such are made.',
    }
  },
  '42501': (table, { message }) => {
    if (!message.includes('row-level security')) return undefined
    const policies = table.policies.map(({ name, check }) => `${name}: ${check ?? 'true'}`)
    return {
      what: `The policies of ${titleOf(table)} do not let the row in, for its owner either (FORCE ROW LEVEL SECURITY).`,
      seen: policies.length === 0 ? 'no policy admits an INSERT' : policies.join('; '),
      remedy:
        "Factories set what a policy compares a column with (tenant_id = current_setting('app.tenant')); give the columns of " +
        'any other policy values that it admits.',
    }
  },
}

function listed(columns: readonly string[]): string {
  return columns.map((column) => `'${column}'`).join(', ')
}

/** A trigger or a rule let some rows not pass. */
export function rowsMissing(table: Table, sent: number, came: number): VivariumError {
  return factoryError('FACTORY_ROW_REFUSED', {
    what: `${titleOf(table)} took ${came} of ${sent} rows, and said nothing.`,
    seen: 'a trigger that returns NULL, or a rule, keeps rows out',
    remedy: 'Give what that trigger or rule lets pass.',
  })
}
