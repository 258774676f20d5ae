const brand = Symbol.for('vivarium.factory.association')

/** Traits and attributes, in the order in which they are applied. */
export type Adjustments = readonly (string | Readonly<Record<string, unknown>>)[]

/** A parent by the name of its factory: made by `assoc` and `shared`. `A` says which names are to be had, and what each takes. */
export class Association<A = Record<string, unknown>> {
  /** Of types only. */
  declare readonly choices?: (choices: A) => void
  readonly factory: string
  readonly adjustments: Adjustments
  readonly isShared: boolean

  constructor(factory: string, adjustments: Adjustments, isShared: boolean) {
    Object.defineProperty(this, brand, { value: true })
    this.factory = factory
    this.adjustments = adjustments
    this.isShared = isShared
  }
}

/** Tells a parent by its factory's name, whichever copy of this module made it. */
export function isAssociation(value: unknown): value is Association<never> {
  return typeof value === 'object' && value !== null && brand in value
}

/**
 * The row that a foreign key refers to, by the name of a factory or a table, with traits and attributes. Each row gets one of its own.
 *
 * @example
 * ```ts
 * import { assoc, defineFactories } from 'vivarium/factory'
 *
 * const factories = defineFactories()
 *   .define('user', 'users', { traits: { admin: { role: 'admin' } } })
 *   .define('order', 'orders', { defaults: { user: assoc('user', 'admin') } })
 * ```
 */
export function assoc<A extends Record<string, unknown>, N extends keyof A & string>(
  factory: N,
  ...adjustments: A[N][]
): Association<A> {
  return new Association<A>(factory, adjustments as Adjustments, false)
}

/**
 * As {@link assoc}, but one row for all that one call makes.
 *
 * @example
 * ```ts
 * import { test } from 'vitest'
 * import { defineFactories, shared } from 'vivarium/factory'
 *
 * const factories = defineFactories()
 *
 * test('a user has three orders', async () => {
 *   await factories.insertList(3, 'orders', { user: shared('users', { email: 'ada@example.com' }) })
 * })
 * ```
 */
export function shared<A extends Record<string, unknown>, N extends keyof A & string>(
  factory: N,
  ...adjustments: A[N][]
): Association<A> {
  return new Association<A>(factory, adjustments as Adjustments, true)
}
