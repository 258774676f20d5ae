import type { VivariumError } from '../../core/errors.ts'
import { nearestName } from '../../core/nearest-name.ts'
import { printShort } from '../../core/print-value.ts'
import { factoryError } from '../factory-error.ts'

/** No factory and no table goes by that name. */
export function factoryUnknown(name: string, factories: readonly string[], tables: readonly string[]): VivariumError {
  const nearest = nearestName(name, [...factories, ...tables])
  return factoryError('FACTORY_UNKNOWN', {
    what: `There is no factory '${name}', and no table of that name.`,
    seen: `factories: ${listed(factories)}; tables: ${listed(tables)}`,
    remedy: `${nearest === undefined ? '' : `Did you mean '${nearest}'? `}Write it: .define('${name}', '<table>', { … }).`,
  })
}

/** A factory has no such trait. */
export function traitUnknown(title: string, trait: string, known: readonly string[]): VivariumError {
  const nearest = nearestName(trait, known)
  return factoryError('FACTORY_TRAIT_UNKNOWN', {
    what: `${title} has no trait '${trait}'.`,
    seen: known.length === 0 ? 'no traits at all' : `traits: ${listed(known)}`,
    remedy: nearest === undefined ? 'Give one that it has, or attributes.' : `Did you mean '${nearest}'?`,
  })
}

/** A name that is neither a column nor a parent nor a param. */
export function attributeUnknown(
  title: string,
  name: string,
  source: string,
  known: { readonly attributes: readonly string[]; readonly params: readonly string[] },
): VivariumError {
  const nearest = nearestName(name, [...known.attributes, ...known.params])
  const params = known.params.length === 0 ? '' : `; params: ${listed(known.params)}`
  return factoryError('FACTORY_ATTRIBUTE_UNKNOWN', {
    what: `${title} has no attribute '${name}', which stands in ${source}.`,
    seen: `attributes: ${listed(known.attributes)}${params}`,
    remedy: nearest === undefined ? 'Give one that is there.' : `Did you mean '${nearest}'?`,
  })
}

/** Lazy attributes ask for each other. `path` begins and ends with the same one. */
export function lazyCycle(path: readonly string[]): VivariumError {
  return factoryError('FACTORY_CYCLE', {
    what: `Attributes need each other: ${path.join(' → ')}.`,
    remedy: `Give one of them a value, or let one be worked out without the others.`,
  })
}

/** Factories make each other as parents. `path` begins and ends with the same one. */
export function factoryCycle(path: readonly string[]): VivariumError {
  return factoryError('FACTORY_CYCLE', {
    what: `Factories need each other, and none can be first: ${path.join(' → ')}.`,
    remedy: `Take one of these out of its factory's defaults, or give that row its parent: { ${path[0]?.split('.')[1]}: null } or a row that is there.`,
  })
}

/** An attribute is a promise. */
export function promiseRefused(title: string, name: string): VivariumError {
  return factoryError('FACTORY_VALUE_REFUSED', {
    what: `'${name}' of ${title} is a promise.`,
    remedy: 'Await it first. What has to be done in the database belongs into afterInsert.',
  })
}

/** A key's column was read of a row whose parent is not there yet. */
export function keyUnknown(title: string, name: string, parent: string): VivariumError {
  return factoryError('FACTORY_VALUE_MISSING', {
    what: `'${name}' of ${title} is not known yet: the row that it refers to has not been inserted.`,
    remedy: `Read the row's attributes instead: '${parent}'.`,
  })
}

/** Something that cannot stand for a parent. */
export function parentRefused(title: string, name: string, seen: unknown): VivariumError {
  return factoryError('FACTORY_VALUE_REFUSED', {
    what: `'${name}' of ${title} is a row of another table, and was given something else.`,
    seen: printShort(seen),
    remedy:
      "Give a row that a factory inserted or built, attributes for one ({ … }), the name of a factory (assoc('user')), or null; a key's value goes to its column.",
  })
}

/** A row of another table than the foreign key refers to. */
export function otherTable(title: string, name: string, wanted: string, seen: string): VivariumError {
  return factoryError('FACTORY_VALUE_REFUSED', {
    what: `'${name}' of ${title} refers to a row of ${wanted}.`,
    seen: `a row of ${seen}`,
    remedy: `Give a row of ${wanted}.`,
  })
}

/** What was given to be inserted is in the database already. */
export function alreadyInserted(title: string, row: unknown): VivariumError {
  return factoryError('FACTORY_ALREADY_INSERTED', {
    what: `This row of ${title} is in the database already.`,
    seen: printShort(row, 60),
    remedy:
      'Use it as it is: as a parent of other rows, for instance. For another one like it, build or insert by the name of its factory.',
  })
}

/** A definition that cannot stand. */
export function definitionInvalid(what: string, seen: string | undefined, remedy: string): VivariumError {
  return factoryError('FACTORY_DEFINITION_INVALID', { what, remedy, ...(seen === undefined ? {} : { seen }) })
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ')
}
