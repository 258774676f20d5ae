/**
 * Factories that know the schema: `await insert('order')` gives a valid row with everything it needs.
 *
 * @module
 */
export {
  build,
  buildList,
  buildPair,
  createFactories,
  insert,
  insertList,
  insertPair,
  paramsFor,
} from './create-factories.ts'
export type { Factories, FactoryOptions } from './create-factories.ts'
export type { Attributes } from './plan/attributes.ts'
export type { Row } from './engine/sandbox-factory.ts'
export { assoc, shared } from './definition/association.ts'
export type { Association } from './definition/association.ts'
export { defineFactories } from './definition/define-factories.ts'
export type { DefineFactoriesOptions } from './definition/define-factories.ts'
export type { TablesOfDrizzle, TablesOfKysely } from './definition/library-tables.ts'
export { sequence } from './definition/sequence.ts'
export type { Sequence, SequenceOptions } from './definition/sequence.ts'
export type {
  FactoryCollection,
  FactoryDefinition,
  FactoryVerbs,
  HookContext,
  LooseTables,
  NoFactories,
  TablesOf,
  TableTypes,
} from './definition/factory-types.ts'
