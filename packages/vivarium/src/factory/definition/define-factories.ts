import type { ColumnNaming } from './call-scope.ts'
import { Collection } from './collection.ts'
import type { FactoryCollection, LooseTables, NoFactories, TablesOf } from './factory-types.ts'

/** Options of {@link defineFactories}. */
export interface DefineFactoriesOptions {
  /**
   * How the columns of rows are named: as the database names them, or in camelCase. Both are understood of what is given.
   * @default 'database'
   */
  readonly naming?: ColumnNaming
}

/**
 * An empty collection of factories: each table is one already. `define` writes others on top, that say only what is special.
 * Give it the tables' types, which `npx vivarium types` writes; without them everything works, loosely typed.
 *
 * @example
 * ```ts
 * import { expect, test } from 'vitest'
 * import { defineFactories, sequence } from 'vivarium/factory'
 *
 * const factories = defineFactories().define('user', 'users', {
 *   defaults: { email: sequence((n) => `user${n}@example.com`) },
 *   traits: { admin: { role: 'admin' } },
 * })
 *
 * test('an admin is one', async () => {
 *   const user = await factories.insert('user', 'admin', { name: 'Ada' })
 *
 *   expect(user).toMatchObject({ email: 'user1@example.com', role: 'admin', name: 'Ada' })
 * })
 * ```
 */
export function defineFactories<T extends TablesOf<T> = LooseTables>(
  options: DefineFactoriesOptions = {},
): FactoryCollection<T, NoFactories> {
  return new Collection(new Map(), options.naming ?? 'database') as unknown as FactoryCollection<T, NoFactories>
}
