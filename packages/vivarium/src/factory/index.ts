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
