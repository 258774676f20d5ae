import { exampleNumbers, exampleTexts } from './example-scalar.ts'
import { isObject, objectIn } from './document.ts'
import type { JsonObject, OpenApiDocument } from './document.ts'
import { pointerTo, valueAt } from './json-pointer.ts'
import { jsonTypes } from './schema-keywords.ts'
import type { JsonType } from './schema-keywords.ts'
import type { JsonSchemaPlace } from './schema-view.ts'
import type { SchemaUnits } from './schema-units.ts'
import { ownObject } from './typed-text.ts'

/** No value can be made for a schema; the pointer says which. */
export class NoExample extends Error {
  readonly pointer: string

  constructor(pointer: string) {
    super(`no value was found that fits the schema at #${pointer}`)
    this.pointer = pointer
  }
}

/** How deep a value may be, the shallow ones first: a schema that contains itself is to end as soon as it may. */
const depths = [1, 2, 3, 4, 6, 8, 12]
/** Ways to combine a schema's alternatives that are tried. */
const mostWays = 32

/**
 * Makes values of a response that fit a schema: its own example where that fits, else the plainest. Each is tried on the schema
 * before it is taken, at every level.
 */
export class ExampleMaker {
  readonly #document: OpenApiDocument
  readonly #units: SchemaUnits
  /** Tries are counted: a schema that contradicts itself deep down would be tried without end. */
  #left = 20_000
  /** The innermost schema that no value was found for, as long as nothing stands in for it. */
  #unmet: string | undefined

  constructor(document: OpenApiDocument, units: SchemaUnits) {
    this.#document = document
    this.#units = units
  }

  /** The shallowest value that was found for the schema at a pointer. Throws {@link NoExample}. */
  make(pointer: string): unknown {
    for (const depth of depths) {
      try {
        return this.#make(pointer, 0, depth)
      } catch (error) {
        if (!(error instanceof NoExample) || depth === depths.at(-1)) throw error
      }
    }
    throw new NoExample(pointer)
  }

  /** A value of at most so many levels. `seed` makes a series of different ones. */
  #make(pointer: string, seed: number, depth: number): unknown {
    if (depth < 0) throw new NoExample(pointer)
    for (const value of this.#candidates(pointer, seed, depth)) {
      if (this.#left-- <= 0) break
      if (this.#units.check(pointer, 'response', value).length > 0) continue
      this.#unmet = undefined
      return value
    }
    throw new NoExample(this.#unmet ?? pointer)
  }

  *#candidates(pointer: string, seed: number, depth: number): Generator {
    const listed = this.#units.view.inPlace(pointer).flatMap(({ schema }) => ownValues(schema))
    for (let index = 0; index < listed.length; index++) yield listed[(index + seed) % listed.length]
    let ways = 0
    for (const places of this.#ways(pointer, new Set())) {
      if (++ways > mostWays) return
      const schemas = places.map((place) => place.schema)
      for (const type of typesOf(schemas)) yield* this.#ofType(type, places, schemas, seed, depth)
    }
  }

  *#ofType(
    type: JsonType,
    places: readonly JsonSchemaPlace[],
    schemas: readonly JsonObject[],
    seed: number,
    depth: number,
  ): Generator {
    switch (type) {
      case 'null':
        yield null
        return
      case 'boolean':
        yield seed % 2 === 0
        yield seed % 2 !== 0
        return
      case 'integer':
      case 'number':
        yield* exampleNumbers(schemas, type === 'integer', seed)
        return
      case 'string':
        yield* exampleTexts(schemas, seed)
        return
      case 'array':
        yield* this.#lists(places, seed, depth)
        return
      case 'object':
        yield* this.#objects(places, seed, depth)
    }
  }

  /** What is required, then also what has a value of its own in the document, then everything. */
  *#objects(places: readonly JsonSchemaPlace[], seed: number, depth: number): Generator {
    const schemas = places.map((place) => place.schema)
    const required = new Set(schemas.flatMap((schema) => (schema['required'] as string[] | undefined) ?? []))
    for (const schema of schemas) {
      for (const [name, others] of Object.entries(objectIn(schema, 'dependentRequired') ?? {})) {
        if (required.has(name)) for (const other of others as string[]) required.add(other)
      }
    }
    const listed = [...new Set(schemas.flatMap((schema) => Object.keys(objectIn(schema, 'properties') ?? {})))]
    const shown = listed.filter((name) =>
      propertyPlaces(places, name).some((at) => ownValues(valueAt(this.#document.root, at)).length > 0),
    )
    const least = Math.max(0, ...schemas.flatMap((schema) => (schema['minProperties'] as number | undefined) ?? []))
    const more = [...listed, ...Array.from({ length: least }, (_, index) => `field${index + 1}`)]
    const filled = [...new Set([...required, ...more])].slice(0, Math.max(required.size, least))
    for (const names of [[...required, ...shown], [...required], filled, [...required, ...listed]]) {
      const entries: [string, unknown][] = []
      for (const name of new Set(names)) {
        try {
          const value = this.#property(places, name, seed, depth)
          if (value !== hidden) entries.push([name, value])
        } catch (error) {
          if (!(error instanceof NoExample)) throw error
          if (!required.has(name)) continue
          // What is required has to be there: this way leads nowhere.
          this.#unmet = error.pointer
          return
        }
      }
      yield ownObject(entries)
    }
  }

  #property(places: readonly JsonSchemaPlace[], name: string, seed: number, depth: number): unknown {
    const pointers = propertyPlaces(places, name)
    if (pointers.length === 0) return 'text'
    if (pointers.some((at) => isHidden(this.#units, at))) return hidden
    for (const at of pointers) {
      try {
        const value = this.#make(at, seed, depth - 1)
        if (pointers.every((other) => this.#units.check(other, 'response', value).length === 0)) return value
      } catch (error) {
        if (!(error instanceof NoExample)) throw error
      }
    }
    throw new NoExample(pointers[0] ?? '')
  }

  *#lists(places: readonly JsonSchemaPlace[], seed: number, depth: number): Generator {
    const schemas = places.map((place) => place.schema)
    const least = Math.max(0, ...schemas.flatMap((schema) => (schema['minItems'] as number | undefined) ?? []))
    const contains = places.find(({ schema }) => 'contains' in schema)
    const items = places.find(({ schema }) => isObject(schema['items']))
    const tuple = places.find(({ schema }) => Array.isArray(schema['prefixItems']))
    const fixed = (tuple?.schema['prefixItems'] as unknown[] | undefined)?.length ?? 0
    const itemAt = (index: number): unknown => {
      if (tuple !== undefined && index < fixed)
        return this.#make(pointerTo(tuple.pointer, 'prefixItems', index), seed, depth - 1)
      if (items === undefined) return index
      return this.#make(pointerTo(items.pointer, 'items'), seed + index, depth - 1)
    }
    const wanted = Math.max(least, Math.min(fixed, least === 0 ? fixed : least))
    try {
      const list = Array.from({ length: wanted }, (_, index) => itemAt(index))
      if (contains === undefined) yield list
      else {
        const count = Math.max(1, (contains.schema['minContains'] as number | undefined) ?? 1)
        const at = pointerTo(contains.pointer, 'contains')
        const held = Array.from({ length: count }, (_, index) => this.#make(at, seed + index, depth - 1))
        yield [...list.slice(0, Math.max(0, least - count)), ...held]
        yield [...list, ...held]
      }
    } catch (error) {
      if (!(error instanceof NoExample)) throw error
    }
    if (least === 0) yield []
  }

  /** Ways to satisfy a schema: which alternative of each `anyOf` and `oneOf`, and `then` or `else`. */
  *#ways(pointer: string, above: ReadonlySet<string>): Generator<readonly JsonSchemaPlace[]> {
    const schema = valueAt(this.#document.root, pointer)
    if (!isObject(schema) || above.has(pointer)) {
      if (schema !== false && !above.has(pointer)) yield []
      return
    }
    const below = new Set([...above, pointer])
    const ref = schema['$ref']
    const target = typeof ref === 'string' ? this.#document.targetOf(ref, pointer) : undefined
    if (target !== undefined && this.#document.version === '3.0') {
      yield* this.#ways(target, below)
      return
    }
    const all = Array.isArray(schema['allOf'])
      ? schema['allOf'].map((_, index) => [pointerTo(pointer, 'allOf', index)])
      : []
    const each = ['anyOf', 'oneOf'].flatMap((name) =>
      Array.isArray(schema[name]) ? [schema[name].map((_, index) => pointerTo(pointer, name, index))] : [],
    )
    const branches = ['then', 'else'].filter((name) => isObject(schema[name])).map((name) => pointerTo(pointer, name))
    const conditional = branches.length > 0 ? [[...branches, undefined]] : []
    const choices: (string | undefined)[][] = [
      ...(target === undefined ? [] : [[target]]),
      ...all,
      ...each,
      ...conditional,
    ]
    yield* this.#combine([{ schema, pointer }], choices, below)
  }

  *#combine(
    taken: readonly JsonSchemaPlace[],
    [first, ...rest]: readonly (readonly (string | undefined)[])[],
    above: ReadonlySet<string>,
  ): Generator<readonly JsonSchemaPlace[]> {
    if (first === undefined) {
      yield taken
      return
    }
    for (const chosen of first) {
      if (chosen === undefined) yield* this.#combine(taken, rest, above)
      else for (const way of this.#ways(chosen, above)) yield* this.#combine([...taken, ...way], rest, above)
    }
  }
}

/** A property that a response may not have. */
const hidden = Symbol('writeOnly')

function isHidden(units: SchemaUnits, pointer: string): boolean {
  return units.view.inPlace(pointer).some(({ schema }) => schema['writeOnly'] === true)
}

/** Values that a schema itself gives, the likeliest to be meant first. */
function ownValues(schema: unknown): unknown[] {
  if (!isObject(schema)) return []
  const single = ['const', 'example', 'default'].filter((name) => name in schema).map((name) => schema[name])
  const several = ['examples', 'enum'].flatMap((name) =>
    Array.isArray(schema[name]) ? (schema[name] as unknown[]) : [],
  )
  return [...single, ...several]
}

function propertyPlaces(places: readonly JsonSchemaPlace[], name: string): string[] {
  const listed = places.flatMap(({ schema, pointer }) =>
    Object.hasOwn(objectIn(schema, 'properties') ?? {}, name) ? [pointerTo(pointer, 'properties', name)] : [],
  )
  const matched = places.flatMap(({ schema, pointer }) =>
    Object.keys(objectIn(schema, 'patternProperties') ?? {})
      .filter((pattern) => new RegExp(pattern).test(name))
      .map((pattern) => pointerTo(pointer, 'patternProperties', pattern)),
  )
  if (listed.length + matched.length > 0) return [...listed, ...matched]
  return places.flatMap(({ schema, pointer }) =>
    isObject(schema['additionalProperties']) ? [pointerTo(pointer, 'additionalProperties')] : [],
  )
}

/** Types to try, those first that the schemas speak of. */
function typesOf(schemas: readonly JsonObject[]): JsonType[] {
  const named = schemas
    .filter((schema) => schema['type'] !== undefined)
    .map((schema) => [schema['type']].flat() as JsonType[])
  if (named.length > 0) {
    const fits = (type: JsonType, list: readonly JsonType[]): boolean =>
      list.includes(type) || (type === 'integer' && list.includes('number'))
    const [first = []] = named
    const order = first.includes('number') ? (['number', 'integer', ...first] as JsonType[]) : first
    return [...new Set(order)].filter((type) => named.every((list) => fits(type, list)))
  }
  if (schemas.some((schema) => 'properties' in schema || 'required' in schema)) return ['object']
  if (schemas.some((schema) => 'items' in schema || 'prefixItems' in schema || 'contains' in schema)) return ['array']
  return [...jsonTypes]
}
