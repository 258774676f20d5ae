import { VivariumError } from '../../core/errors.ts'
import { isObject } from './document.ts'
import type { OpenApiDocument } from './document.ts'
import { ExampleMaker, NoExample } from './example-value.ts'
import { pointerTo } from './json-pointer.ts'
import { acceptedKey, isJson, parseMediaType } from './media-types.ts'
import { MessageHeaders } from './message-headers.ts'
import type { ContentRule } from './check-body.ts'
import type { Operation, ResponseRules } from './operation.ts'
import { renderViolations } from './render-violations.ts'
import type { SchemaUnits } from './schema-units.ts'
import type { ContractResponse, Violation } from './types.ts'

/** What an example is asked for. */
export interface ExampleRequest {
  readonly operation: Operation
  /** The request's. */
  readonly headers: MessageHeaders
  /** @default the lowest successful one */
  readonly status: number | undefined
}

/** A valid response of an operation. Throws `CONTRACT_NO_EXAMPLE` where none can be made. */
export function makeExample(document: OpenApiDocument, units: SchemaUnits, request: ExampleRequest): ContractResponse {
  const { operation } = request
  const status = request.status ?? usualStatus([...operation.responses.keys()])
  const rules = operation.responseFor(status)
  const title = `${operation.ref.method} ${operation.ref.path} of “${document.name}”`
  if (rules === undefined) {
    throw noExample(
      title,
      `the document has no status ${status}`,
      `It has: ${[...operation.responses.keys()].join(', ')}.`,
    )
  }
  const maker = new ExampleMaker(document, units)
  try {
    const headers = exampleHeaders(maker, rules)
    const accept = request.headers.get('accept')
    const key = acceptedKey([...rules.content.byType.keys()], accept)
    if (key === undefined && rules.content.byType.size > 0) {
      const known = [...rules.content.byType.keys()].join(', ')
      throw noExample(title, `the request accepts ${accept} only`, `The document has ${known} for status ${status}.`)
    }
    const rule = key === undefined ? undefined : rules.content.byType.get(key)
    if (key === undefined || rule === undefined) return { status, headers, body: undefined }
    return firstValid(document, units, maker, request, { status, headers, key, rule }, title)
  } catch (error) {
    if (!(error instanceof NoExample)) throw error
    const remedy = `Add an \`example\` to the schema at #${error.pointer}, or answer yourself.`
    throw noExample(title, error.message, remedy, error)
  }
}

interface Draft {
  readonly status: number
  readonly headers: [string, string][]
  readonly key: string
  readonly rule: ContentRule
}

function firstValid(
  document: OpenApiDocument,
  units: SchemaUnits,
  maker: ExampleMaker,
  { operation }: ExampleRequest,
  { status, headers, key, rule }: Draft,
  title: string,
): ContractResponse {
  const type = concreteType(key)
  let violations: readonly Violation[] = []
  for (const value of candidates(document, units, maker, rule)) {
    const body = encode(value, type)
    const response = { status, headers: [...headers, ['content-type', type] as [string, string]], body }
    violations = operation.checkResponse(status, new MessageHeaders(response.headers), { bytes: body, missing: false })
    if (violations.length === 0) return response
  }
  throw noExample(title, renderViolations(violations), 'Correct the document, or answer yourself.')
}

/** The document's own examples, then one made from the schema. */
function* candidates(document: OpenApiDocument, units: SchemaUnits, maker: ExampleMaker, rule: ContentRule): Generator {
  const { node } = document.placeAt(rule.pointer)
  const media = isObject(node) ? node : {}
  if ('example' in media) yield media['example']
  for (const name of Object.keys(isObject(media['examples']) ? media['examples'] : {})) {
    const example = document.placeAt(pointerTo(rule.pointer, 'examples', name)).node
    if (isObject(example) && 'value' in example) yield example['value']
  }
  if (rule.schema === undefined) yield units.view.types([]).has('object') ? {} : ''
  else yield maker.make(rule.schema)
}

function exampleHeaders(maker: ExampleMaker, rules: ResponseRules): [string, string][] {
  return rules.headers
    .filter((header) => header.required)
    .map(({ name, schema, json }) => {
      const value = schema === undefined ? 'text' : maker.make(schema)
      return [name, json ? JSON.stringify(value) : headerText(value)]
    })
}

/** As the style `simple` writes it. */
function headerText(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join(',')
  return isObject(value) ? Object.entries(value).flat().map(String).join(',') : String(value)
}

function encode(value: unknown, type: string): Uint8Array {
  if (isJson(type) || (typeof value !== 'string' && !type.startsWith('text/')))
    return Buffer.from(JSON.stringify(value))
  return Buffer.from(String(value))
}

/** A media type that a range such as `text/*` admits. */
function concreteType(key: string): string {
  const type = parseMediaType(key)?.type ?? ''
  if (!type.includes('*')) return key
  if (type === '*/*' || type.startsWith('application/')) return 'application/json'
  return type.startsWith('text/') ? 'text/plain' : type.replace('*', 'octet-stream')
}

function usualStatus(statuses: readonly string[]): number {
  const numbers = statuses.map((status) => Number(status.toUpperCase().replace('XX', '00')))
  const exact = numbers.filter((status) => !Number.isNaN(status)).toSorted((one, other) => one - other)
  const good = exact.find((status) => status >= 200 && status < 300)
  if (good !== undefined) return good
  return statuses.includes('default') ? 200 : (exact[0] ?? 200)
}

function noExample(title: string, seen: string, remedy: string, cause?: unknown): VivariumError {
  return new VivariumError('CONTRACT_NO_EXAMPLE', {
    what: `No response of ${title} could be made.`,
    seen,
    remedy,
    cause,
  })
}
