/** `userAccount` as a table's or a column's name has it: `user_account`. */
type Snake<S extends string> = S extends `${infer Head}${infer Rest}`
  ? Rest extends Uncapitalize<Rest>
    ? `${Lowercase<Head>}${Snake<Rest>}`
    : `${Lowercase<Head>}_${Snake<Uncapitalize<Rest>>}`
  : S

type Plurals<S extends string> = S | `${S}s` | `${S}es` | (S extends `${infer Stem}y` ? `${Stem}ies` : never)

/** The table that a key's name means, where one is called so; else any. */
type TableNamed<S extends string, Names> = [Extract<Names, Plurals<Snake<S>>>] extends [never]
  ? Names
  : Extract<Names, Plurals<Snake<S>>>

/** Parents by the names of what look like keys: `user` for `user_id` and `userId`. */
type ParentsByName<Insert, Names> = {
  readonly [C in keyof Insert & string as C extends `${infer S}_id` | `${infer S}Id` ? S : never]-?: C extends
    | `${infer S}_id`
    | `${infer S}Id`
    ? TableNamed<S, Names>
    : never
}

interface DrizzleTable {
  readonly _: { readonly name: string; readonly schema: string | undefined }
  readonly $inferSelect: object
  readonly $inferInsert: object
}

type DrizzleName<X> = X extends DrizzleTable
  ? X['_']['schema'] extends infer S extends string
    ? `${S}.${X['_']['name']}`
    : X['_']['name']
  : never

type DrizzleNames<Schema> = { [K in keyof Schema]: DrizzleName<Schema[K]> }[keyof Schema]

/**
 * The tables of a Drizzle schema, for `defineFactories`: columns by their keys there, so in camelCase as a rule (`naming: 'camel'`). Drizzle's types do not
 * say where keys refer to: `user` is taken for a row of `users`, where there is a `userId`.
 *
 * @example
 * ```ts
 * import { integer, pgTable, text } from 'drizzle-orm/pg-core'
 * import { defineFactories, type TablesOfDrizzle } from 'vivarium/factory'
 *
 * const schema = {
 *   users: pgTable('users', { id: integer('id').primaryKey().generatedAlwaysAsIdentity(), email: text('email').notNull() }),
 * }
 *
 * const factories = defineFactories<TablesOfDrizzle<typeof schema>>({ naming: 'camel' })
 * ```
 */
export type TablesOfDrizzle<Schema> = {
  readonly [K in keyof Schema as DrizzleName<Schema[K]>]: Schema[K] extends DrizzleTable
    ? {
        readonly row: Schema[K]['$inferSelect']
        readonly insert: Schema[K]['$inferInsert']
        readonly parents: ParentsByName<Schema[K]['$inferInsert'], DrizzleNames<Schema>>
      }
    : never
}

interface KyselyColumn<Select, Insert> {
  readonly __select__: Select
  readonly __insert__: Insert
}

type Selected<V> = V extends KyselyColumn<infer S, unknown> ? S : V
type Inserted<V> = V extends KyselyColumn<unknown, infer I> ? I : V

type KyselyInsert<Table> = {
  [
    C in keyof Table as [Inserted<Table[C]>] extends [never]
      ? never
      : null extends Inserted<Table[C]>
        ? never
        : undefined extends Inserted<Table[C]>
          ? never
          : C
  ]: Inserted<Table[C]>
} & {
  [
    C in keyof Table as [Inserted<Table[C]>] extends [never]
      ? never
      : null extends Inserted<Table[C]>
        ? C
        : undefined extends Inserted<Table[C]>
          ? C
          : never
  ]?: Inserted<Table[C]>
}

/**
 * The tables of a Kysely database, for `defineFactories`. Kysely's types do not say where keys refer to: `user` is taken for a row of `users`, where there is a
 * `user_id`.
 *
 * @example
 * ```ts
 * import type { Generated } from 'kysely'
 * import { defineFactories, type TablesOfKysely } from 'vivarium/factory'
 *
 * interface Database {
 *   users: { id: Generated<number>; email: string }
 * }
 *
 * const factories = defineFactories<TablesOfKysely<Database>>()
 * ```
 */
export type TablesOfKysely<Database> = {
  readonly [K in keyof Database]: {
    readonly row: { [C in keyof Database[K]]: Selected<Database[K][C]> }
    readonly insert: KyselyInsert<Database[K]>
    readonly parents: ParentsByName<KyselyInsert<Database[K]>, keyof Database>
  }
}
