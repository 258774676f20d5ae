import { isObject, objectIn } from './document.ts'
import type { JsonObject, OpenApiDocument } from './document.ts'
import { pointerTo, valueAt } from './json-pointer.ts'
import { jsonTypes } from './schema-keywords.ts'
import type { JsonType } from './schema-keywords.ts'

/**
 * What schemas admit, without a value at hand: texts of a URL or of a form are typed by it. Places are pointers; several of them
 * are alternatives. Answers are kept: a document does not change.
 */
export class SchemaView {
  readonly #document: OpenApiDocument
  readonly #types: Map<string, ReadonlySet<JsonType>> = new Map()
  readonly #inPlace: Map<string, readonly JsonSchemaPlace[]> = new Map()
  readonly #below: Map<string, readonly string[]> = new Map()

  constructor(document: OpenApiDocument) {
    this.#document = document
  }

  /** The types that any of the places admits. */
  types(pointers: readonly string[]): ReadonlySet<JsonType> {
    const [only = '', ...others] = pointers
    if (pointers.length === 0) return every
    if (others.length === 0) return this.#typesAt(only, new Set())
    return new Set(pointers.flatMap((pointer) => [...this.#typesAt(pointer, new Set())]))
  }

  /** Whether a place lists this very text as one of its values. */
  lists(pointers: readonly string[], text: string): boolean {
    return pointers.some((pointer) =>
      this.inPlace(pointer).some(({ schema }) => {
        const allowed = schema['enum']
        return schema['const'] === text || (Array.isArray(allowed) && allowed.includes(text))
      }),
    )
  }

  /** The schemas of a property, wherever they stand; of those that are listed nowhere, `additionalProperties`. */
  property(pointers: readonly string[], name: string): readonly string[] {
    return this.#collect(pointers, `.${name}`, (schemas) => {
      const listed = schemas.flatMap(({ schema, pointer }) =>
        Object.hasOwn(objectIn(schema, 'properties') ?? {}, name) ? [pointerTo(pointer, 'properties', name)] : [],
      )
      if (listed.length > 0) return listed
      return schemas.flatMap(({ schema, pointer }) =>
        isObject(schema['additionalProperties']) ? [pointerTo(pointer, 'additionalProperties')] : [],
      )
    })
  }

  /** The schemas of an array's items. */
  items(pointers: readonly string[]): readonly string[] {
    return this.#collect(pointers, '[]', (schemas) =>
      schemas.flatMap(({ schema, pointer }) => (isObject(schema['items']) ? [pointerTo(pointer, 'items')] : [])),
    )
  }

  /** Where the schema stands that a place refers to; the place itself where it refers to none. */
  target(pointer: string): string {
    return this.#document.placeAt(pointer).pointer
  }

  /** The names of all listed properties. */
  names(pointer: string): string[] {
    return [
      ...new Set(this.inPlace(pointer).flatMap(({ schema }) => Object.keys(objectIn(schema, 'properties') ?? {}))),
    ]
  }

  /** Whether an object is meant to have names that are not listed: it says so, or lists none. */
  takesAnyName(pointer: string): boolean {
    const schemas = this.inPlace(pointer).map(({ schema }) => schema)
    return (
      schemas.some((schema) => schema['additionalProperties'] === true || isObject(schema['additionalProperties'])) ||
      !schemas.some((schema) => 'properties' in schema || schema['additionalProperties'] === false)
    )
  }

  /** The schemas that speak of one value: the one at the pointer, what it refers to, and those of its `allOf`, `anyOf`, … */
  inPlace(pointer: string): readonly JsonSchemaPlace[] {
    const known = this.#inPlace.get(pointer)
    if (known !== undefined) return known
    const found = new Map<string, JsonObject>()
    const open = [pointer]
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const schema = valueAt(this.#document.root, at)
      if (!isObject(schema) || found.has(at)) continue
      const ref = schema['$ref']
      if (typeof ref === 'string') open.push(this.#document.targetOf(ref, at))
      // In OpenAPI 3.0 what stands beside a reference is not read.
      if (typeof ref === 'string' && this.#document.version === '3.0') continue
      found.set(at, schema)
      for (const name of ['oneOf', 'anyOf', 'allOf']) {
        const branches = schema[name]
        if (!Array.isArray(branches)) continue
        for (let index = branches.length - 1; index >= 0; index--) open.push(pointerTo(at, name, index))
      }
    }
    const places = [...found].map(([at, schema]) => ({ pointer: at, schema }))
    this.#inPlace.set(pointer, places)
    return places
  }

  #collect(
    pointers: readonly string[],
    key: string,
    find: (schemas: readonly JsonSchemaPlace[]) => readonly string[],
  ): readonly string[] {
    const [first = '', ...others] = pointers
    if (others.length > 0) return [...new Set(pointers.flatMap((pointer) => this.#collect([pointer], key, find)))]
    const known = this.#below.get(first + key)
    if (known !== undefined || pointers.length === 0) return known ?? []
    const found = find(this.inPlace(first))
    this.#below.set(first + key, found)
    return found
  }

  #typesAt(at: string, above: ReadonlySet<string>): ReadonlySet<JsonType> {
    const known = this.#types.get(at)
    if (known !== undefined) return known
    const node = valueAt(this.#document.root, at)
    if (!isObject(node) || above.has(at)) return every
    const below = new Set([...above, at])
    const ref = node['$ref']
    const target = typeof ref === 'string' ? this.#typesAt(this.#document.targetOf(ref, at), below) : every
    if (typeof ref === 'string' && this.#document.version === '3.0') return target
    let types = both(ownTypes(node), target)
    for (const name of ['allOf', 'anyOf', 'oneOf']) {
      const branches = node[name]
      if (!Array.isArray(branches)) continue
      const each = branches.map((_, index) => this.#typesAt(pointerTo(at, name, index), below))
      if (name === 'allOf') for (const one of each) types = both(types, one)
      else types = both(types, new Set(each.flatMap((one) => [...one])))
    }
    if (node['nullable'] === true) types = new Set([...types, 'null'])
    if (above.size === 0) this.#types.set(at, types)
    return types
  }
}

/** A schema, and where it stands. */
export interface JsonSchemaPlace {
  readonly schema: JsonObject
  readonly pointer: string
}

const every: ReadonlySet<JsonType> = new Set(jsonTypes)

function ownTypes(schema: JsonObject): ReadonlySet<JsonType> {
  const { type } = schema
  if (typeof type === 'string') return new Set([type as JsonType])
  if (Array.isArray(type)) return new Set(type as JsonType[])
  if ('const' in schema) return new Set([typeOf(schema['const'])])
  if (Array.isArray(schema['enum'])) return new Set(schema['enum'].map(typeOf))
  // What describes the inside of objects or arrays is hardly meant for something else.
  if ('properties' in schema || 'additionalProperties' in schema) return new Set(['object'])
  if ('items' in schema || 'prefixItems' in schema) return new Set(['array'])
  return every
}

/** The type of a JSON value. */
function typeOf(value: unknown): JsonType {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  if (typeof value === 'string' || typeof value === 'boolean') return typeof value as 'string' | 'boolean'
  return 'object'
}

/** Types in both sets; an integer is a number. */
function both(one: ReadonlySet<JsonType>, other: ReadonlySet<JsonType>): ReadonlySet<JsonType> {
  const inSet = (set: ReadonlySet<JsonType>, type: JsonType): boolean =>
    set.has(type) || (type === 'integer' && set.has('number'))
  return new Set(jsonTypes.filter((type) => inSet(one, type) && inSet(other, type)))
}
