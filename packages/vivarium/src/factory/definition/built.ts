import { openOncePerWorker } from '../../core/registry.ts'
import type { Table } from '../catalogue/catalogue.ts'
import type { Written, WrittenFactory } from './written-factory.ts'

/** What an object was built by. */
export interface BuiltBy {
  readonly table: Table
  readonly factory: WrittenFactory | undefined
  readonly params: Written
}

/** Objects that factories have built, whichever copy of this module did. */
function builtRows(): WeakMap<object, BuiltBy> {
  return openOncePerWorker('factory: built rows', () => new WeakMap<object, BuiltBy>())
}

/** Remembers what an object was built by. */
export function markBuilt(row: object, by: BuiltBy): void {
  builtRows().set(row, by)
}

/** What an object was built by, if a factory did. */
export function findBuilt(row: object): BuiltBy | undefined {
  return builtRows().get(row)
}
