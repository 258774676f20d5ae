import { isObject, kindOf } from './document.ts'
import type { JsonObject, OpenApiDocument } from './document.ts'
import { pointerTo } from './json-pointer.ts'

/** The types of JSON Schema. */
export const jsonTypes = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'] as const

/** A type of JSON Schema. */
export type JsonType = (typeof jsonTypes)[number]

/** What a keyword's value has to be; `schema` and its kin hold further schemas. */
type Kind =
  | 'schema'
  | 'schemas'
  | 'schema map'
  | 'number'
  | 'count'
  | 'boolean'
  | 'text'
  | 'texts'
  | 'list'
  | 'anything'

/** The keywords that decide what is valid. Every other one is a note for people, and passed over. */
const kinds: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['type', 'anything'],
  ['enum', 'list'],
  ['const', 'anything'],
  ['minimum', 'number'],
  ['maximum', 'number'],
  ['exclusiveMinimum', 'number'],
  ['exclusiveMaximum', 'number'],
  ['multipleOf', 'number'],
  ['minLength', 'count'],
  ['maxLength', 'count'],
  ['pattern', 'text'],
  ['format', 'text'],
  ['minItems', 'count'],
  ['maxItems', 'count'],
  ['uniqueItems', 'boolean'],
  ['items', 'schema'],
  ['prefixItems', 'schemas'],
  ['contains', 'schema'],
  ['minContains', 'count'],
  ['maxContains', 'count'],
  ['unevaluatedItems', 'schema'],
  ['minProperties', 'count'],
  ['maxProperties', 'count'],
  ['required', 'texts'],
  ['properties', 'schema map'],
  ['patternProperties', 'schema map'],
  ['additionalProperties', 'schema'],
  ['propertyNames', 'schema'],
  ['unevaluatedProperties', 'schema'],
  ['dependentRequired', 'anything'],
  ['dependentSchemas', 'schema map'],
  ['allOf', 'schemas'],
  ['anyOf', 'schemas'],
  ['oneOf', 'schemas'],
  ['not', 'schema'],
  ['if', 'schema'],
  ['then', 'schema'],
  ['else', 'schema'],
])

/** Keywords of JSON Schema 2020-12 that OpenAPI 3.0 does not have: there they would say nothing. */
const only31: ReadonlySet<string> = new Set([
  'const',
  'prefixItems',
  'contains',
  'minContains',
  'maxContains',
  'unevaluatedItems',
  'patternProperties',
  'propertyNames',
  'unevaluatedProperties',
  'dependentRequired',
  'dependentSchemas',
  'if',
  'then',
  'else',
])

/** Keywords that would change what a reference means, and are not followed here. */
const notFollowed: ReadonlySet<string> = new Set(['$id', '$anchor', '$dynamicRef', '$dynamicAnchor', '$recursiveRef'])

/** The keywords of one schema that decide what is valid, each looked at. Throws `CONTRACT_INVALID` for one that is wrong. */
export function checkedKeywords(document: OpenApiDocument, schema: JsonObject, pointer: string): [string, unknown][] {
  const { version } = document
  for (const name of notFollowed) {
    if (name in schema) {
      throw document.invalid(
        pointerTo(pointer, name),
        `\`${name}\` is not supported`,
        'Refer by pointer: `#/components/…`.',
      )
    }
  }
  if (version === '3.1' && 'nullable' in schema) {
    throw document.invalid(
      pointerTo(pointer, 'nullable'),
      '`nullable` is a keyword of OpenAPI 3.0 and says nothing in 3.1',
      "Write the type with null: `type: [string, 'null']`.",
    )
  }
  return Object.entries(schema).filter(([name, value]) => {
    const kind = kinds.get(name)
    if (kind === undefined) return false
    const at = pointerTo(pointer, name)
    if (version === '3.0' && only31.has(name)) {
      throw document.invalid(
        at,
        `\`${name}\` is a keyword of OpenAPI 3.1 and says nothing in ${String(document.root['openapi'])}`,
        'Say it with a keyword of 3.0, or raise `openapi` to 3.1.0.',
      )
    }
    if (name === 'type') checkType(document, value, at)
    else if (version === '3.0' && name.startsWith('exclusive')) {
      if (typeof value !== 'boolean') throw wrongKind(document, at, name, 'true or false in OpenAPI 3.0', value)
    } else checkKind(document, name, kind, value, at)
    return true
  })
}

/** The regular expression of a `pattern`, as JSON Schema reads it; lenient where the author escaped too much. */
export function readPattern(pattern: string): RegExp | undefined {
  for (const flags of ['u', '']) {
    try {
      return new RegExp(pattern, flags)
    } catch {
      // The next flags, or none.
    }
  }
  return undefined
}

function checkType(document: OpenApiDocument, value: unknown, at: string): void {
  const is30 = document.version === '3.0'
  if (Array.isArray(value) && is30) {
    const remedy = 'Write one type and `nullable: true`, or raise `openapi` to 3.1.0.'
    throw document.invalid(at, 'a list of types is written in OpenAPI 3.1, not in 3.0', remedy)
  }
  if (value === 'null' && is30) {
    throw document.invalid(at, "the type 'null' exists in OpenAPI 3.1, not in 3.0", 'Write `nullable: true`.')
  }
  for (const type of Array.isArray(value) ? value : [value]) {
    if (jsonTypes.includes(type as JsonType)) continue
    throw document.invalid(at, `${JSON.stringify(type)} is no type`, `The types are: ${jsonTypes.join(', ')}.`)
  }
}

function checkKind(document: OpenApiDocument, name: string, kind: Kind, value: unknown, at: string): void {
  const wanted = fitsKind(document, kind, value)
  if (wanted !== undefined) throw wrongKind(document, at, name, wanted, value)
  if (name === 'pattern' && readPattern(String(value)) === undefined) {
    throw document.invalid(at, `the pattern ${JSON.stringify(value)} is no regular expression`)
  }
  if (name === 'multipleOf' && (value as number) <= 0) throw wrongKind(document, at, name, 'above 0', value)
}

/** What a value should have been; `undefined` when it is that. */
function fitsKind(document: OpenApiDocument, kind: Kind, value: unknown): string | undefined {
  switch (kind) {
    case 'schema':
      return isSchema(value) ? undefined : 'a schema'
    case 'schemas':
      return Array.isArray(value) && value.length > 0 && value.every(isSchema) ? undefined : 'a list of schemas'
    case 'schema map':
      return isObject(value) && Object.values(value).every(isSchema) ? undefined : 'an object of schemas'
    case 'number':
      return typeof value === 'number' ? undefined : 'a number'
    case 'count':
      return Number.isInteger(value) && (value as number) >= 0 ? undefined : 'a whole number of at least 0'
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'true or false'
    case 'text':
      return typeof value === 'string' ? undefined : 'a text'
    case 'texts':
      return Array.isArray(value) && value.every((one) => typeof one === 'string') ? undefined : 'a list of names'
    case 'list':
      return Array.isArray(value) && (value.length > 0 || document.version === '3.1') ? undefined : 'a list of values'
    case 'anything':
      return undefined
  }
}

function isSchema(value: unknown): boolean {
  return isObject(value) || typeof value === 'boolean'
}

function wrongKind(document: OpenApiDocument, at: string, name: string, wanted: string, value: unknown): Error {
  return document.invalid(at, `\`${name}\` is to be ${wanted} and is ${shown(value)}`)
}

function shown(value: unknown): string {
  const text = JSON.stringify(value)
  return text === undefined || text.length > 40 ? kindOf(value) : text
}
