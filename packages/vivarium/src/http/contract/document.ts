import { VivariumError } from '../../core/errors.ts'
import { nearestName } from '../../core/nearest-name.ts'
import { lastStep, valueAt } from './json-pointer.ts'

/** A JSON object of a document. */
export type JsonObject = Readonly<Record<string, unknown>>

/** A part of a document, and where it stands. */
export interface Place<T = unknown> {
  readonly node: T
  readonly pointer: string
}

/** An OpenAPI document: looks up, follows references, and says where something is wrong. */
export class OpenApiDocument {
  readonly root: JsonObject
  readonly name: string
  readonly version: '3.0' | '3.1'

  constructor(root: JsonObject, name: string, version: '3.0' | '3.1') {
    this.root = root
    this.name = name
    this.version = version
  }

  /** What stands at a pointer, references followed. Throws where nothing does. */
  placeAt(pointer: string): Place {
    return this.follow({ node: valueAt(this.root, pointer), pointer })
  }

  /** The place that a `$ref` names, or the place itself. Throws for a reference to nothing, and for one that ends in itself. */
  follow(place: Place): Place {
    let { node, pointer } = place
    const seen = new Set<string>()
    while (isObject(node) && typeof node['$ref'] === 'string') {
      if (seen.has(pointer)) {
        throw this.invalid(place.pointer, `the reference \`${refOf(place.node)}\` leads back to itself`, loopRemedy)
      }
      seen.add(pointer)
      pointer = this.targetOf(node['$ref'], pointer)
      node = valueAt(this.root, pointer)
    }
    return { node, pointer }
  }

  /** The pointer that a reference names. Throws for a reference to nothing, and for one to another document. */
  targetOf(ref: string, at: string): string {
    if (ref !== '#' && !ref.startsWith('#/')) {
      throw this.invalid(at, `the reference \`${ref}\` does not point into this document (\`#/…\`)`, otherFileRemedy)
    }
    const pointer = decodeRef(ref)
    if (pointer !== undefined && valueAt(this.root, pointer) !== undefined) return pointer
    throw this.invalid(at, `the reference \`${ref}\` cannot be resolved`, this.#nearestTarget(pointer))
  }

  /** The place as one that holds an object. */
  object(place: Place, what: string): Place<JsonObject> {
    if (isObject(place.node)) return { node: place.node, pointer: place.pointer }
    throw this.invalid(place.pointer, `${what} is to be an object and is ${kindOf(place.node)}`)
  }

  /** A `CONTRACT_INVALID` error: what is wrong with the document, and where. */
  invalid(pointer: string, problem: string, remedy = 'Correct the document there.'): VivariumError {
    return new VivariumError('CONTRACT_INVALID', {
      what: `The OpenAPI document “${this.name}” is not valid.`,
      seen: `at #${pointer}: ${problem}`,
      remedy,
    })
  }

  #nearestTarget(pointer: string | undefined): string {
    const above = pointer === undefined ? undefined : valueAt(this.root, pointer.slice(0, pointer.lastIndexOf('/')))
    const name = isObject(above) ? nearestName(lastStep(pointer ?? ''), Object.keys(above)) : undefined
    return name === undefined ? 'Add what it names, or correct the name.' : `Is \`${name}\` meant? It stands there.`
  }
}

const loopRemedy = 'A schema may contain itself, but a reference must end at something that is not a reference.'
const otherFileRemedy =
  'Documents of several files are read once they are one: `npx @redocly/cli bundle openapi.yaml -o openapi.json`.'

/** Whether a value is a JSON object: neither null nor an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A value's own property, as an object; `undefined` where it is missing or something else. */
export function objectIn(value: unknown, name: string): JsonObject | undefined {
  const found = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
  return isObject(found) ? found : undefined
}

/** What a JSON value is, with its article. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a number'
  return `a ${typeof value}`
}

function refOf(node: unknown): string {
  return isObject(node) ? String(node['$ref']) : ''
}

/** The pointer of a `#…` reference; `undefined` where its percent-encoding is broken. */
function decodeRef(ref: string): string | undefined {
  try {
    return decodeURIComponent(ref.slice(1))
  } catch {
    return undefined
  }
}
