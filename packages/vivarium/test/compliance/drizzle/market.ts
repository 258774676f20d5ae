import {
  bigint,
  boolean,
  customType,
  integer,
  jsonb,
  numeric,
  pgTable,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core'

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' })

/** The tables of the script, as Drizzle declares them. */
export const products = pgTable('products', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  sku: text().notNull().unique(),
  title: text().notNull(),
  stock: integer().notNull().default(0),
})

export const samples = pgTable('samples', {
  id: integer().primaryKey(),
  at: timestamp({ withTimezone: true }).notNull(),
  doc: jsonb().$type<{ deep: (string | number | null)[]; empty: object }>().notNull(),
  body: bytea().notNull(),
  amount: numeric({ precision: 30, scale: 10 }).notNull(),
  tags: text().array().notNull(),
  big: bigint({ mode: 'bigint' }).notNull(),
  token: uuid().notNull(),
})

export const doctors = pgTable('doctors', { name: text().primaryKey(), onCall: boolean('on_call').notNull() })
