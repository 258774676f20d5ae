import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { insert, insertList } from '../../src/factory/index.ts'
import { useMigrated } from './support.ts'

/** What cannot be inserted without help: why, what the error says of it, and what has to be given. */
interface Exception {
  readonly table: string
  readonly because: string
  readonly says: readonly string[]
  readonly given: Readonly<Record<string, unknown>>
}

interface Schema {
  readonly name: string
  readonly tables: readonly string[]
  readonly exceptions: readonly Exception[]
}

const checkDigits: Exception = {
  table: 'hr.bank_accounts',
  because: 'a function of the schema judges the value',
  says: ['iban_has_its_digits', 'hr.iban_is_valid(iban)', 'cannot read this', '{ iban: … }'],
  given: { iban: 'DE89370400440532013000' },
}

const schemas: readonly Schema[] = [
  { name: 'dvd-rental', exceptions: [], tables: ['language', 'category', 'actor', 'film', 'film_actor', 'film_category', 'country', 'city', 'address', 'store', 'staff', 'customer', 'inventory', 'rental', 'payment', 'payment_p2022_02'] },
  { name: 'music-store', exceptions: [], tables: ['Artist', 'Album', 'Genre', 'MediaType', 'Track', 'Employee', 'Customer', 'Invoice', 'InvoiceLine', 'Playlist', 'PlaylistTrack'] },
  { name: 'trading-company', exceptions: [checkDigits], tables: ['categories', 'suppliers', 'products', 'hr.region', 'hr.territories', 'hr.employees', 'hr.employee_territories', 'sales.customers', 'sales.customer_demographics', 'sales.customer_customer_demo', 'sales.shippers', 'sales.orders', 'sales.order_details', 'us_states'] },
  { name: 'tenants', exceptions: [], tables: ['tenants', 'users', 'teams', 'team_members', 'projects', 'issues', 'api_keys', 'audit_log', 'audit_log_2024'] },
  { name: 'category-tree', exceptions: [], tables: ['categories', 'category_paths', 'nodes', 'folders', 'documents', 'media', 'images'] },
  { name: 'calendar', exceptions: [], tables: ['calendars', 'rooms', 'opening_hours', 'bookings', 'maintenance_windows', 'price_periods', 'events', 'recurrences', 'attendees', 'holidays', 'holidays_de'] },
] // prettier-ignore

const times = 100

describe.each(schemas)('in the schema of $name', ({ name, tables, exceptions }) => {
  const vivarium = useMigrated(readFileSync(join(import.meta.dirname, 'schemas', name, '0001_schema.sql'), 'utf8'))

  test.each(tables)('%s takes 100 rows, one after the other, with no factory written', async (table) => {
    await using _sandbox = await vivarium.openSandbox()
    for (let time = 0; time < times; time++) await insert(table)
  })

  test.each(tables)('%s takes a list of 100 rows', async (table) => {
    await using _sandbox = await vivarium.openSandbox()
    expect(await insertList(times, table)).toHaveLength(times)
  })

  test.skipIf(exceptions.length === 0).each(exceptions.map((exception) => [exception.table, exception] as const))(
    '%s needs help, and the error says which',
    async (table, { says, given }) => {
      await using _sandbox = await vivarium.openSandbox()
      const error = await insert(table).catch((caught: unknown) => caught as Error)
      for (const words of says) expect(String((error as Error).message).replaceAll(/\s+/g, ' ')).toContain(words)
      expect(await insert(table, given)).toMatchObject(given)
    },
  )

  test('no table of the schema was left out', async () => {
    await using _sandbox = await vivarium.openSandbox()
    const message = await insert('no such table').catch((error: unknown) => (error as Error).message)
    const known = new Set([...tables, ...exceptions.map(({ table }) => table)])
    const all = /tables: (.*?)\n {2}What/s.exec(String(message))?.[1]?.split(/,\s+/) ?? []
    expect(all.filter((table) => !known.has(table))).toEqual([])
  })
})
