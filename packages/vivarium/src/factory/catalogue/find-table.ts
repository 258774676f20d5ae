import { nearestName } from '../../core/nearest-name.ts'
import { factoryError } from '../factory-error.ts'
import type { Catalogue, Table } from './catalogue.ts'
import { titleOf } from './catalogue.ts'
import { camelCased, singularOf } from './english.ts'

/** The names that a table goes by, those that fit best first. */
function namesOf({ schema, name }: Table): readonly string[] {
  const own = [name, camelCased(name)]
  // What no rule knows: caches, and the cache.
  const singulars = own.flatMap((one) => [singularOf(one), one.replace(/s$/, '')])
  const names = [...own, ...singulars]
  return [...names.map((one) => `${schema}.${one}`), ...names]
}

/** The table of that name, if exactly one fits. */
export function findTable(catalogue: Catalogue, name: string): Table | undefined {
  const found = tablesNamed(catalogue, name)
  return found.length === 1 ? found[0] : undefined
}

/** Those that a name fits equally well. */
function tablesNamed({ tables }: Catalogue, name: string): readonly Table[] {
  const rank = (table: Table): number => {
    const place = namesOf(table).indexOf(name)
    // What the search path finds comes before what it does not.
    return place === -1 ? Infinity : place * 2 + (table.isVisible ? 0 : 1)
  }
  const best = Math.min(...tables.map(rank))
  return best === Infinity ? [] : tables.filter((table) => rank(table) === best)
}

/**
 * The table of that name.
 *
 * @throws VivariumError FACTORY_TABLE_UNKNOWN
 */
export function tableNamed(catalogue: Catalogue, name: string): Table {
  const found = tablesNamed(catalogue, name)
  const [table] = found
  if (table !== undefined && found.length === 1) return table
  if (table !== undefined) {
    const titles = found.map((one) => `${one.schema}.${one.name}`)
    throw factoryError('FACTORY_TABLE_UNKNOWN', {
      what: `More than one table is called "${name}".`,
      seen: titles.join(', '),
      remedy: `Say which one: '${titles[0]}'.`,
    })
  }
  const titles = catalogue.tables.filter((one) => !one.isPartition).map(titleOf)
  const nearest = nearestName(
    name,
    titles.flatMap((title) => [title, singularOf(title)]),
  )
  throw factoryError('FACTORY_TABLE_UNKNOWN', {
    what: `The database has no table "${name}".`,
    seen: titles.length === 0 ? 'no tables at all' : `tables: ${titles.join(', ')}`,
    remedy:
      (nearest === undefined ? '' : `Did you mean '${nearest}'? `) +
      'A table is known by its name, in camelCase, or by its singular; one outside of the search path with its schema.',
  })
}

/** The table that a foreign key refers to. */
export function referencedTable(catalogue: Catalogue, key: { readonly schema: string; readonly table: string }): Table {
  const table = catalogue.tables.find(({ schema, name }) => schema === key.schema && name === key.table)
  if (table === undefined) throw new Error(`no table ${key.schema}.${key.table} in the catalogue`)
  return table
}
