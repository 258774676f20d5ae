import type { Association } from './association.ts'
import type { Sequence } from './sequence.ts'

/** One table as types: its rows, what an insert may give, and by which names its rows refer to those of which tables. */
export interface TableTypes {
  readonly row: object
  readonly insert: object
  readonly parents?: object
}

/** Tables by name; `npx vivarium types` writes it of the migrations, and Drizzle's and Kysely's types can be made into it. */
export type TablesOf<T> = { readonly [K in keyof T]: TableTypes }

/** Tables of which nothing is known: any name, any column. */
export interface LooseTables {
  readonly [table: string]: { readonly row: Record<string, unknown>; readonly insert: Record<string, unknown> }
}

/** What a written factory has, as types. A collection has the union of its factories: that is flat, however many there are. */
export interface Written<Name extends string, Table, Params, Traits, Extra> {
  readonly name: Name
  readonly table: Table
  readonly params: Params
  readonly traits: Traits
  readonly extra: Extra
}

/** A collection in which nothing is written yet. */
export type NoFactories = never

/** Names of factories and tables. */
export type FactoryNames<T, F> = NameOf<F> | Extract<keyof T, string>

type NameOf<F> = F extends { readonly name: infer N extends string } ? N : never

type WrittenAt<F, N> = F extends { readonly name: infer M } ? (N extends M ? F : never) : never

type FactoryAt<T, F, N> = [WrittenAt<F, N>] extends [never]
  ? Written<'', N, unknown, string extends keyof T ? string : never, unknown>
  : WrittenAt<F, N>

type Property<X, K extends string> = X extends { readonly [P in K]: infer V } ? V : never

/** The table of a factory. */
export type TableOf<T, F, N> = Property<FactoryAt<T, F, N>, 'table'>
/** The params of a factory. */
export type ParamsOf<T, F, N> = Property<FactoryAt<T, F, N>, 'params'>
/** The names of a factory's traits. */
export type TraitsOf<T, F, N> = Property<FactoryAt<T, F, N>, 'traits'>
/** What `afterInsert` adds to a factory's rows. */
export type ExtraOf<T, F, N> = Property<FactoryAt<T, F, N>, 'extra'>

type TableAt<T, K> = K extends keyof T ? T[K] : never
type InsertOf<T, K> = Property<TableAt<T, K>, 'insert'>
/** A row of a table, as the database holds it. */
export type RowOf<T, K> = Property<TableAt<T, K>, 'row'>
// eslint-disable-next-line typescript/ban-types
type ParentsOf<T, K> = TableAt<T, K> extends { readonly parents: infer P } ? P : {}

/** A row that is being made, as lazy attributes see it: columns, params, and the rows that it refers to. */
export type Draft<T, K, P> = Readonly<InsertOf<T, K> & P> & {
  readonly [A in keyof ParentsOf<T, K>]: Draft<T, ParentsOf<T, K>[A], unknown>
}

/** What lazy attributes are told besides the row. */
export interface LazyContext<P> {
  readonly params: Readonly<P>
  /** The row's place in the list that is made, from 0. */
  readonly index: number
}

/** A value that is worked out when the row is made, once. */
export type Lazy<V, D, P> = (row: D, context: LazyContext<P>) => V

// A value of an unknown type would take in the function, and its parameters would have no types.
type Known<V> = unknown extends V ? NonNullable<V> | null : V
type Given<V, D, P> = Known<V> | Lazy<Known<V>, D, P> | Sequence<V>

/** The factories of a table, and what each takes. */
type Choices<T, F, K> = {
  [N in FactoryNames<T, F> as TableOf<T, F, N> extends K ? N : never]: Adjustment<T, F, N>
}

type Parent<T, F, K> =
  | RowOf<T, K>
  | Association<Choices<T, F, K>>
  | Attributes<T, F, K, unknown>
  | Draft<T, K, unknown>
  | null

// Of an unfinished inference `keyof` would be every name. An empty object type would take in anything.
type GivenParams<P> = [P] extends [never]
  ? unknown
  : [keyof P] extends [never]
    ? unknown
    : { readonly [C in keyof P as C]?: P[C] }

/** What may be said of a row: its columns, the rows that it refers to, params. */
export type Attributes<T, F, K, P> = {
  readonly [C in keyof InsertOf<T, K>]?: Given<InsertOf<T, K>[C], Draft<T, K, P>, P>
} & {
  readonly [A in keyof ParentsOf<T, K>]?:
    | Parent<T, F, ParentsOf<T, K>[A]>
    | Lazy<Parent<T, F, ParentsOf<T, K>[A]>, Draft<T, K, P>, P>
} & GivenParams<P>

/** A trait, or attributes; neither a text nor a list is taken for attributes. */
export type Adjustment<T, F, N> =
  | TraitsOf<T, F, N>
  | (Attributes<T, F, TableOf<T, F, N>, ParamsOf<T, F, N>> & { readonly [Symbol.iterator]?: never })

declare const builtBy: unique symbol

/** A row that was built and not inserted. It may be changed, and inserted. */
export type BuiltRow<T, F, N> = InsertOf<T, TableOf<T, F, N>> & { readonly [builtBy]: N }

/** A row that was inserted, and what `afterInsert` added. */
export type InsertedRow<T, F, N> = RowOf<T, TableOf<T, F, N>> & ExtraOf<T, F, N>

/** What a client would send of a row. */
export type ParamsFor<T, F, N> = Partial<InsertOf<T, TableOf<T, F, N>>>

/** A value as JSON has it. */
export type JsonOf<V> = V extends Date | bigint | Uint8Array ? string : V extends (infer E)[] ? JsonOf<E>[] : V

/** The body of a request for a row. */
export type JsonFor<T, F, N> = { [C in keyof ParamsFor<T, F, N>]: JsonOf<ParamsFor<T, F, N>[C]> }

/** What makes rows, by the names of factories and tables. */
export interface FactoryVerbs<T, F> {
  /**
   * Inserts a row, with the rows that it needs. Resolves to it as the database holds it. What was built can be given in place of a name.
   *
   * @throws VivariumError NO_SANDBOX, FACTORY_…
   */
  insert<N extends NameOf<F> | Extract<keyof T, string>>(
    name: N | BuiltRow<T, F, N>,
    ...adjustments: Adjustment<T, F, N>[]
  ): Promise<InsertedRow<T, F, N>>
  /** Inserts two rows, each with parents of its own. */
  insertPair<N extends NameOf<F> | Extract<keyof T, string>>(
    name: N,
    ...adjustments: Adjustment<T, F, N>[]
  ): Promise<[InsertedRow<T, F, N>, InsertedRow<T, F, N>]>
  /** Inserts `count` rows, 0 included, each with parents of its own: one statement per table. */
  insertList<N extends NameOf<F> | Extract<keyof T, string>>(
    count: number,
    name: N,
    ...adjustments: Adjustment<T, F, N>[]
  ): Promise<InsertedRow<T, F, N>[]>
  /** Builds a row and sends nothing to the database. What only the database gives a row is not there. */
  build<N extends NameOf<F> | Extract<keyof T, string>>(
    name: N,
    ...adjustments: Adjustment<T, F, N>[]
  ): Promise<BuiltRow<T, F, N>>
  /** Builds two rows. */
  buildPair<N extends NameOf<F> | Extract<keyof T, string>>(
    name: N,
    ...adjustments: Adjustment<T, F, N>[]
  ): Promise<[BuiltRow<T, F, N>, BuiltRow<T, F, N>]>
  /** Builds `count` rows, 0 included. */
  buildList<N extends NameOf<F> | Extract<keyof T, string>>(
    count: number,
    name: N,
    ...adjustments: Adjustment<T, F, N>[]
  ): Promise<BuiltRow<T, F, N>[]>
  /** What a client would send of a row: no keys but those that are given, nothing that the database gives itself. */
  paramsFor<N extends NameOf<F> | Extract<keyof T, string>>(
    name: N,
    ...adjustments: Adjustment<T, F, N>[]
  ): Promise<ParamsFor<T, F, N>>
  /** The same as JSON has it, for the body of a request: dates are texts. */
  jsonFor<N extends NameOf<F> | Extract<keyof T, string>>(
    name: N,
    ...adjustments: Adjustment<T, F, N>[]
  ): Promise<JsonFor<T, F, N>>
}

/** What hooks are told besides the row. */
export type HookContext<T, F, P> = { readonly params: Readonly<P> } & FactoryVerbs<T, F>

/** What is special about a factory; everything else comes from the table. */
export interface FactoryDefinition<T, F, B, P extends object, R extends string, E> {
  /** What its hooks and lazy attributes can be told that is no column, with defaults: `{ itemCount: 1 }`. */
  readonly params?: P
  /** Attributes of each row. A function is worked out for each, with the row's other attributes. */
  readonly defaults?: Attributes<T, F, TableOf<T, F, B>, P & ParamsOf<T, F, B>>
  /** Attributes and params under a name, that go over the defaults where the name is given. */
  readonly traits?: { readonly [N in R]: Attributes<T, F, TableOf<T, F, B>, P & ParamsOf<T, F, B>> }
  /** Called with each row that is built or about to be inserted; may change it. */
  readonly afterBuild?: (row: BuiltRow<T, F, B>, context: { readonly params: Readonly<P & ParamsOf<T, F, B>> }) => void
  /**
   * Called with each row that was inserted, in the same transaction. What it resolves to is added to the row that `insert` resolves to.
   */
  readonly afterInsert?: (
    row: InsertedRow<T, F, B>,
    context: HookContext<T, F, P & ParamsOf<T, F, B>>,
  ) => Promise<E | void> | void
}

/** Without the factory of that name. */
type Without<F, N> = F extends { readonly name: N } ? never : F

/** A collection of factories. Immutable: each `define` makes another one. */
export interface FactoryCollection<T, F> extends FactoryVerbs<T, F> {
  /**
   * The collection with one more factory: its name, what it stands on (a table, or a factory of which it has everything), and what is special about it. Under a name that
   * is there it takes that one's place.
   *
   * @throws VivariumError FACTORY_DEFINITION_INVALID
   */
  define<
    const N extends string,
    B extends NameOf<F> | Extract<keyof T, string>,
    // eslint-disable-next-line typescript/ban-types
    P extends object = {},
    R extends string = never,
    E = unknown,
  >(
    name: N,
    base: B,
    definition: FactoryDefinition<T, F, B, P, R, E>,
  ): FactoryCollection<
    T,
    | Without<F, N>
    | Written<
        N,
        TableOf<T, F, B>,
        P & ParamsOf<T, F, B>,
        R | (B extends NameOf<F> ? TraitsOf<T, F, B> : never),
        // Of a hook that resolves to nothing.
        ([E] extends [void] ? unknown : E) & ExtraOf<T, F, B>
      >
  >
  /** Both collections in one; where both have a factory of one name they must have the same one. Throws `FACTORY_DEFINITION_INVALID`. */
  with<G>(other: FactoryCollection<T, G>): FactoryCollection<T, F | G>
}
