import { isObject, kindOf, objectIn } from './document.ts'
import type { JsonObject, OpenApiDocument } from './document.ts'
import { lastStep, pointerTo, valueAt } from './json-pointer.ts'
import { checkedKeywords } from './schema-keywords.ts'
import type { SchemaView } from './schema-view.ts'
import type { Side } from './types.ts'

/** A schema as Ajv takes it. */
export type AjvSchema = Record<string, unknown>

/** Our own keywords of an {@link AjvSchema}. */
export const ownKeywords = {
  /** The value is checked by another unit, which is compiled when a value first comes there. */
  unit: 'vivarium-unit',
  /** `anyOf` and `oneOf`, their branches units. */
  anyOf: 'vivarium-anyOf',
  oneOf: 'vivarium-oneOf',
  /** Never valid; the value says by which rule. */
  refused: 'vivarium-refused',
} as const

/**
 * What one compilation speaks of. `annotated`: an `unevaluatedProperties` or `unevaluatedItems` around it has to be told what was
 * looked at, which only Ajv's own keywords do. `whole`: it is all that is said of its value, so fields can be closed there.
 */
export interface UnitScope {
  readonly side: Side
  readonly annotated: boolean
  readonly whole: boolean
}

/** The alternatives of an `anyOf` or `oneOf`. */
export interface Branches {
  readonly kind: 'anyOf' | 'oneOf'
  /** Where the keyword stands. */
  readonly pointer: string
  readonly side: Side
  /** Where each alternative stands. */
  readonly branches: readonly string[]
  readonly discriminator: { readonly property: string; readonly branchOf: ReadonlyMap<string, number> } | undefined
}

/** What the conversion of a unit leaves behind for those that explain errors. */
export interface Origins {
  /** Where a converted schema stands in the document. */
  readonly pointers: WeakMap<object, string>
  /** The alternatives that were left to Ajv. */
  readonly branches: WeakMap<object, Branches[]>
}

/** Converts schemas of a document to JSON Schema 2020-12 as Ajv reads it, for one side of a conversation. */
export class SchemaConverter {
  readonly origins: Origins = { pointers: new WeakMap(), branches: new WeakMap() }
  /** The schemas whose fields are closed though the document does not say so. */
  readonly closed: WeakSet<object> = new WeakSet()
  readonly #document: OpenApiDocument
  readonly #view: SchemaView
  readonly #closing: boolean
  readonly #unitId: (pointer: string, scope: UnitScope) => string

  constructor(
    document: OpenApiDocument,
    view: SchemaView,
    closing: boolean,
    unitId: (pointer: string, scope: UnitScope) => string,
  ) {
    this.#document = document
    this.#view = view
    this.#closing = closing
    this.#unitId = unitId
  }

  /** The schema at a pointer, as the root of a compilation of its own. */
  convertUnit(pointer: string, scope: UnitScope): AjvSchema {
    const node = valueAt(this.#document.root, pointer)
    if (!scope.whole || !this.#closes(pointer)) return this.#convert(node, pointer, scope)
    const allOf = [this.#convert(node, pointer, { ...scope, annotated: true })]
    const closed = this.#from(pointer, { allOf, unevaluatedProperties: false })
    this.closed.add(closed)
    return closed
  }

  #convert(node: unknown, pointer: string, scope: UnitScope): AjvSchema {
    if (node === true) return {}
    if (node === false) return this.#from(pointer, { [ownKeywords.refused]: 'false' })
    if (!isObject(node)) {
      throw this.#document.invalid(pointer, `a schema is to be an object and is ${kindOf(node)}`)
    }
    const ref = node['$ref']
    if (typeof ref === 'string' && this.#document.version === '3.0') {
      return this.#from(pointer, this.#reference(ref, pointer, scope))
    }
    const annotated = scope.annotated || 'unevaluatedProperties' in node || 'unevaluatedItems' in node
    const inner = { ...scope, annotated, whole: false }
    const out: AjvSchema = typeof ref === 'string' ? this.#reference(ref, pointer, inner) : {}
    this.#from(pointer, out)
    for (const [name, value] of checkedKeywords(this.#document, node, pointer)) {
      this.#keyword(out, name, value, node, pointer, inner)
    }
    this.#exclusiveBounds(out)
    return node['nullable'] === true ? this.#nullable(out, pointer) : out
  }

  #keyword(out: AjvSchema, name: string, value: unknown, node: JsonObject, pointer: string, scope: UnitScope): void {
    const at = pointerTo(pointer, name)
    switch (name) {
      case 'items':
      case 'additionalProperties':
      case 'contains':
      case 'propertyNames':
      case 'unevaluatedItems':
      case 'unevaluatedProperties':
        out[name] = this.#whole(value, at, scope.side)
        break
      case 'prefixItems':
        out[name] = (value as unknown[]).map((one, index) => this.#whole(one, pointerTo(at, index), scope.side))
        break
      case 'properties':
      case 'patternProperties':
        out[name] = eachEntry(value, (one, key) => this.#property(one, pointerTo(at, key), scope.side))
        break
      case 'dependentSchemas':
        out[name] = eachEntry(value, (one, key) => this.#convert(one, pointerTo(at, key), scope))
        break
      case 'allOf':
        out[name] = (value as unknown[]).map((one, index) => this.#convert(one, pointerTo(at, index), scope))
        break
      case 'anyOf':
      case 'oneOf':
        this.#alternatives(out, name, value as unknown[], node, pointer, scope)
        break
      case 'not':
      case 'if':
      case 'then':
      case 'else':
        out[name] = this.#convert(value, at, scope)
        break
      case 'required':
        out[name] = (value as string[]).filter((one) => !this.#isHiddenBelow(pointer, one, scope.side))
        break
      default:
        out[name] = value
    }
  }

  /** A schema that is all that is said of its value: a unit of its own where it refers to others. */
  #whole(node: unknown, pointer: string, side: Side): unknown {
    if (typeof node === 'boolean') return node
    const scope = { side, annotated: false, whole: true }
    if (!refers(node) && !this.#closes(pointer)) return this.#convert(node, pointer, scope)
    return this.#from(pointer, { [ownKeywords.unit]: this.#unitId(pointer, scope) })
  }

  #property(node: unknown, pointer: string, side: Side): unknown {
    const hidden = hiddenBy(side)
    if (this.#has(hidden, pointer, new Set())) return this.#from(pointer, { [ownKeywords.refused]: hidden })
    return this.#whole(node, pointer, side)
  }

  #reference(ref: string, pointer: string, scope: UnitScope): AjvSchema {
    const target = this.#document.targetOf(ref, pointer)
    const id = this.#unitId(target, { ...scope, whole: false })
    return scope.annotated ? { $ref: id } : { [ownKeywords.unit]: id }
  }

  #alternatives(
    out: AjvSchema,
    kind: 'anyOf' | 'oneOf',
    list: readonly unknown[],
    node: JsonObject,
    pointer: string,
    scope: UnitScope,
  ): void {
    const at = pointerTo(pointer, kind)
    const branches = list.map((_, index) => pointerTo(at, index))
    const discriminator = this.#discriminator(node, pointer, list)
    const found: Branches = { kind, pointer: at, side: scope.side, branches, discriminator }
    if (!scope.annotated) {
      out[ownKeywords[kind]] = found
      return
    }
    out[kind] = list.map((one, index) => this.#convert(one, pointerTo(at, index), scope))
    this.origins.branches.set(out, [...(this.origins.branches.get(out) ?? []), found])
  }

  #discriminator(node: JsonObject, pointer: string, list: readonly unknown[]): Branches['discriminator'] {
    const { discriminator } = node
    if (discriminator === undefined) return undefined
    const at = pointerTo(pointer, 'discriminator')
    const property = isObject(discriminator) ? discriminator['propertyName'] : undefined
    if (typeof property !== 'string') throw this.#document.invalid(at, 'a discriminator needs a `propertyName`')
    const targets = list.map((one) =>
      isObject(one) && typeof one['$ref'] === 'string' ? this.#document.targetOf(one['$ref'], pointer) : undefined,
    )
    // Only schemas with names can be told apart by a name.
    if (targets.includes(undefined)) return undefined
    const branchOf = new Map<string, number>()
    for (const [name, value] of Object.entries(objectIn(discriminator, 'mapping') ?? {})) {
      const ref = /^[\w.-]+$/.test(String(value)) ? `#/components/schemas/${String(value)}` : String(value)
      const index = targets.indexOf(this.#document.targetOf(ref, pointerTo(at, 'mapping', name)))
      if (index !== -1) branchOf.set(name, index)
    }
    const mapped = new Set(branchOf.values())
    targets.forEach((target = '', index) => {
      if (!mapped.has(index)) branchOf.set(lastStep(target), index)
    })
    return { property, branchOf }
  }

  /** OpenAPI 3.0 has draft 4's bounds: a number, and whether it is itself outside. */
  #exclusiveBounds(out: AjvSchema): void {
    for (const [exclusive, bound] of bounds) {
      if (out[exclusive] === true && out[bound] !== undefined) {
        out[exclusive] = out[bound]
        delete out[bound]
      } else if (typeof out[exclusive] === 'boolean') delete out[exclusive]
    }
  }

  /**
   * `nullable: true` makes null valid whatever else is said: so its authors mean it, also beside an `enum` without null or an
   * `anyOf`, where the letter of 3.0.3 would have it say nothing.
   */
  #nullable(out: AjvSchema, pointer: string): AjvSchema {
    return this.#from(pointer, { if: { type: 'null' }, else: out })
  }

  #closes(pointer: string): boolean {
    if (!this.#closing) return false
    const schemas = this.#view.inPlace(pointer).map((place) => place.schema)
    return (
      schemas.some((schema) => 'properties' in schema) &&
      !schemas.some((schema) => 'additionalProperties' in schema || 'unevaluatedProperties' in schema)
    )
  }

  /** Whether a property that is required may not be there at all on this side. */
  #isHiddenBelow(pointer: string, name: string, side: Side): boolean {
    return this.#view
      .inPlace(pointer)
      .some((place) => this.#has(hiddenBy(side), pointerTo(place.pointer, 'properties', name), new Set()))
  }

  #has(flag: 'readOnly' | 'writeOnly', pointer: string, seen: Set<string>): boolean {
    const schema = valueAt(this.#document.root, pointer)
    if (!isObject(schema) || seen.has(pointer)) return false
    seen.add(pointer)
    if (schema[flag] === true) return true
    if (typeof schema['$ref'] === 'string') {
      return this.#has(flag, this.#document.targetOf(schema['$ref'], pointer), seen)
    }
    const { allOf } = schema
    return Array.isArray(allOf) && allOf.some((_, index) => this.#has(flag, pointerTo(pointer, 'allOf', index), seen))
  }

  #from(pointer: string, schema: AjvSchema): AjvSchema {
    this.origins.pointers.set(schema, pointer)
    return schema
  }
}

const bounds = [
  ['exclusiveMinimum', 'minimum'],
  ['exclusiveMaximum', 'maximum'],
] as const

function hiddenBy(side: Side): 'readOnly' | 'writeOnly' {
  return side === 'request' ? 'readOnly' : 'writeOnly'
}

/** Whether a schema has references or alternatives in place: such a one is compiled when it is needed. */
function refers(node: unknown): boolean {
  if (!isObject(node)) return false
  if ('$ref' in node || 'anyOf' in node || 'oneOf' in node) return true
  const parts = [node['allOf'], node['not'], node['if'], node['then'], node['else']].flat()
  return parts.some(refers) || Object.values(objectIn(node, 'dependentSchemas') ?? {}).some(refers)
}

function eachEntry(value: unknown, convert: (one: unknown, key: string) => unknown): AjvSchema {
  return Object.fromEntries(Object.entries(value as JsonObject).map(([key, one]) => [key, convert(one, key)]))
}
