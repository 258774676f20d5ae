import { nearestName } from '../../core/nearest-name.ts'
import { countAt } from '../../core/options.ts'
import { printShort } from '../../core/print-value.ts'
import { titleOf } from '../catalogue/catalogue.ts'
import { findInserted, SandboxFactory } from '../engine/sandbox-factory.ts'
import type { Adjustments } from './association.ts'
import { findBuilt } from './built.ts'
import { CallScope } from './call-scope.ts'
import type { ColumnNaming } from './call-scope.ts'
import { alreadyInserted, definitionInvalid } from './definition-errors.ts'
import type { Draft } from './draft.ts'
import { buildDrafts, insertDrafts, paramsOfDraft, toJson } from './strategies.ts'
import type { Hook, Written, WrittenFactory } from './written-factory.ts'

/** What `define` takes, as it is at run time. */
interface Definition {
  readonly params?: Written
  readonly defaults?: Written
  readonly traits?: Readonly<Record<string, Written>>
  readonly afterBuild?: Hook
  readonly afterInsert?: Hook
}

const definitionKeys = [
  'params',
  'defaults',
  'traits',
  'afterBuild',
  'afterInsert',
] as const satisfies readonly (keyof Definition)[]

/** A collection of factories, without its types. Immutable. */
export class Collection {
  readonly #factories: ReadonlyMap<string, WrittenFactory>
  readonly #naming: ColumnNaming

  constructor(factories: ReadonlyMap<string, WrittenFactory>, naming: ColumnNaming) {
    this.#factories = factories
    this.#naming = naming
  }

  readonly define = (name: string, base: string, definition: Definition): Collection => {
    const written = this.#write(name, base, definition)
    return new Collection(new Map([...this.#factories, [name, written]]), this.#naming)
  }

  readonly with = (other: Collection): Collection => {
    const factories = new Map(this.#factories)
    for (const [name, factory] of other.#factories) {
      const known = factories.get(name)
      if (known !== undefined && known !== factory) throw writtenTwice(name)
      factories.set(name, factory)
    }
    return new Collection(factories, this.#naming)
  }

  readonly build = async (name: string, ...how: Adjustments): Promise<unknown> => (await this.#build(1, name, how))[0]
  readonly buildPair = (name: string, ...how: Adjustments): Promise<unknown[]> => this.#build(2, name, how)
  readonly buildList = async (count: number, name: string, ...how: Adjustments): Promise<unknown[]> =>
    this.#build(counted(count, 'buildList'), name, how)

  readonly insert = async (what: string | object, ...how: Adjustments): Promise<unknown> => {
    if (typeof what === 'string') return (await this.#insert(1, what, how))[0]
    const { scope, engine } = await this.#open()
    const known = findInserted(what)
    if (known !== undefined) throw alreadyInserted(titleOf(known.table), what)
    const draft = scope.draftOf(what, how)
    if (draft === undefined) throw notBuilt(what)
    return (await insertDrafts([draft], scope, engine, this))[0]
  }
  readonly insertPair = (name: string, ...how: Adjustments): Promise<unknown[]> => this.#insert(2, name, how)
  readonly insertList = async (count: number, name: string, ...how: Adjustments): Promise<unknown[]> =>
    this.#insert(counted(count, 'insertList'), name, how)

  readonly paramsFor = async (name: string, ...how: Adjustments): Promise<Written> => {
    const { scope, engine } = await this.#open()
    return paramsOfDraft(scope.draft(name, how, 0), scope, engine)
  }
  readonly jsonFor = async (name: string, ...how: Adjustments): Promise<unknown> =>
    toJson(await this.paramsFor(name, ...how))

  async #build(count: number, name: string, how: Adjustments): Promise<unknown[]> {
    const { scope, engine } = await this.#open()
    return buildDrafts(drafts(scope, count, name, how), scope, engine)
  }

  async #insert(count: number, name: string, how: Adjustments): Promise<unknown[]> {
    const { scope, engine } = await this.#open()
    return insertDrafts(drafts(scope, count, name, how), scope, engine, this)
  }

  async #open(): Promise<{ readonly scope: CallScope; readonly engine: SandboxFactory }> {
    const engine = SandboxFactory.current()
    const scope = new CallScope({
      catalogue: await engine.catalogue(),
      numbers: engine.numbers,
      factories: this.#factories,
      naming: this.#naming,
      findBuilt,
    })
    return { scope, engine }
  }

  #write(name: string, base: string, definition: Definition): WrittenFactory {
    for (const key of Object.keys(definition)) {
      if ((definitionKeys as readonly string[]).includes(key)) continue
      const nearest = nearestName(key, definitionKeys)
      throw definitionInvalid(
        `Factory '${name}' has a '${key}', which factories do not have.`,
        undefined,
        `${nearest === undefined ? '' : `Did you mean '${nearest}'? `}Known here: ${definitionKeys.join(', ')}.`,
      )
    }
    const below = this.#factories.get(base)
    return Object.freeze({
      name,
      table: below?.table ?? base,
      base: below,
      params: Object.freeze({ ...definition.params }),
      defaults: Object.freeze({ ...definition.defaults }),
      traits: Object.freeze({ ...definition.traits }),
      afterBuild: definition.afterBuild,
      afterInsert: definition.afterInsert,
    })
  }
}

function drafts(scope: CallScope, count: number, name: string, how: Adjustments): Draft[] {
  return Array.from({ length: count }, (_, index) => scope.draft(name, how, index))
}

function counted(count: number, verb: string): number {
  return countAt(count, 'count', `${verb}(count, …)`, 0) ?? 0
}

function writtenTwice(name: string): Error {
  return definitionInvalid(
    `Two collections that were to become one have a factory '${name}' each, and not the same.`,
    undefined,
    'Give one of them another name, or define it once and let both collections start from there.',
  )
}

function notBuilt(what: object): Error {
  return definitionInvalid(
    'What was to be inserted is neither the name of a factory nor a row that one has built.',
    printShort(what, 60),
    "Insert by name, insert('user', { … }), or what build('user') resolved to, which may be changed, but not copied.",
  )
}
