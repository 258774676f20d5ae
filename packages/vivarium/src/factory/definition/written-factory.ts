import type { Adjustments } from './association.ts'
import { traitUnknown } from './definition-errors.ts'

/** Attributes and params by name, as they were written. */
export type Written = Readonly<Record<string, unknown>>

/** A function that is called with what was made, and with what the call was told. */
export type Hook = (made: never, context: never) => unknown

/** What `define` was told of one factory. Immutable. */
export interface WrittenFactory {
  readonly name: string
  /** Its table, as it was named. */
  readonly table: string
  /** The factory that it stands on; none where it stands on its table. */
  readonly base: WrittenFactory | undefined
  readonly params: Written
  readonly defaults: Written
  readonly traits: Readonly<Record<string, Written>>
  readonly afterBuild: Hook | undefined
  readonly afterInsert: Hook | undefined
}

/** Attributes that stand together, and where. */
export interface Layer {
  readonly attributes: Written
  /** Where they stand, as messages name it: `trait 'admin' of 'user'`. */
  readonly source: string
  /** They are part of a factory, not of a call. */
  readonly isWritten: boolean
}

/** The factory and what it stands on, the lowest first. */
export function levelsOf(factory: WrittenFactory | undefined): readonly WrittenFactory[] {
  const levels: WrittenFactory[] = []
  for (let at = factory; at !== undefined; at = at.base) levels.unshift(at)
  return levels
}

/** Every param that the factory takes, with its default. */
export function paramsOf(factory: WrittenFactory | undefined): Written {
  return Object.assign({}, ...levelsOf(factory).map(({ params }) => params)) as Written
}

/** Names of all traits of the factory. */
function traitNames(factory: WrittenFactory | undefined): readonly string[] {
  return [...new Set(levelsOf(factory).flatMap(({ traits }) => Object.keys(traits)))]
}

/** The factory's defaults, those of what it stands on first. */
export function defaultsOf(factory: WrittenFactory | undefined): readonly Layer[] {
  return levelsOf(factory).map(({ name, defaults }) => ({
    attributes: defaults,
    source: `the defaults of '${name}'`,
    isWritten: true,
  }))
}

/**
 * Traits and attributes in the order in which a call names them.
 *
 * @throws VivariumError FACTORY_TRAIT_UNKNOWN
 */
export function adjustmentsOf(
  factory: WrittenFactory | undefined,
  title: string,
  adjustments: Adjustments,
): readonly Layer[] {
  return adjustments.flatMap((adjustment): readonly Layer[] => {
    if (typeof adjustment !== 'string') {
      return [{ attributes: adjustment, source: 'the attributes given', isWritten: false }]
    }
    const found = levelsOf(factory).flatMap(({ name, traits }) =>
      Object.hasOwn(traits, adjustment)
        ? [{ attributes: traits[adjustment] ?? {}, source: `trait '${adjustment}' of '${name}'`, isWritten: true }]
        : [],
    )
    if (found.length === 0) throw traitUnknown(title, adjustment, traitNames(factory))
    return found
  })
}
