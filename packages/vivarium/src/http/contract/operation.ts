import { checkBody, readContent } from './check-body.ts'
import type { ContentRules } from './check-body.ts'
import { checkCookies, checkHeaders, checkPath, checkQuery } from './check-parameters.ts'
import { decodeContent } from './content-encoding.ts'
import { isObject, kindOf } from './document.ts'
import type { JsonObject, OpenApiDocument, Place } from './document.ts'
import { pointerTo } from './json-pointer.ts'
import type { MessageHeaders } from './message-headers.ts'
import { readHeader, readParameters } from './parameter.ts'
import type { Parameter } from './parameter.ts'
import { listed } from './rule-messages.ts'
import type { SchemaUnits } from './schema-units.ts'
import { checkSecurity, queryNames, readSecurity } from './security.ts'
import type { SecurityRules } from './security.ts'
import type { OperationRef, Violation } from './types.ts'

/** A message's body. */
export interface MessageBody {
  readonly bytes: Uint8Array | undefined
  /** It was sent, but is not at hand. */
  readonly missing: boolean
}

/** A request, taken apart. */
export interface RequestParts {
  /** What stands in place of the names in the path's braces. */
  readonly values: ReadonlyMap<string, string>
  readonly query: string
  readonly headers: MessageHeaders
  readonly body: MessageBody
}

/** What is said of one response. */
export interface ResponseRules {
  readonly pointer: string
  /** As the document writes it: `200`, `4XX`, `default`. */
  readonly status: string
  readonly headers: readonly Parameter[]
  readonly content: ContentRules
}

interface BodyRules {
  readonly pointer: string
  readonly required: boolean
  readonly content: ContentRules
}

/** One operation of a document, read when it is first used. */
export class Operation {
  readonly ref: OperationRef
  readonly responses: ReadonlyMap<string, ResponseRules>
  readonly #parameters: readonly Parameter[]
  readonly #body: BodyRules | undefined
  readonly #security: SecurityRules | undefined
  readonly #units: SchemaUnits

  /** Throws `CONTRACT_INVALID` where the operation is written wrongly. */
  constructor(
    document: OpenApiDocument,
    ref: OperationRef,
    item: Place<JsonObject>,
    own: Place<JsonObject>,
    units: SchemaUnits,
  ) {
    this.ref = ref
    this.#units = units
    this.#parameters = readParameters(document, item, own)
    this.#body = readRequestBody(document, own)
    this.#security = readSecurity(document, own)
    this.responses = readResponses(document, own)
    for (const [, name = ''] of ref.path.matchAll(/\{([^{}]*)\}/g)) {
      if (this.#parameters.some((parameter) => parameter.in === 'path' && parameter.name === name)) continue
      throw document.invalid(ref.pointer, `\`{${name}}\` of the path is not described`, 'Add a parameter `in: path`.')
    }
  }

  checkRequest({ values, query, headers, body }: RequestParts): Violation[] {
    const units = this.#units
    return [
      ...checkSecurity(this.#security, headers, query),
      ...checkPath(this.#parameters, values, units),
      ...checkQuery(this.#parameters, query, queryNames(this.#security), this.ref.pointer, units),
      ...checkHeaders(this.#parameters, headers, 'request', units),
      ...checkCookies(this.#parameters, headers, units),
      ...this.#checkRequestBody(headers, body),
    ]
  }

  checkResponse(status: number, headers: MessageHeaders, body: MessageBody): Violation[] {
    const rules = this.responseFor(status)
    if (rules === undefined) {
      const ruleAt = pointerTo(this.ref.pointer, 'responses')
      const message = `must be ${listed([...this.responses.keys()])}`
      return [{ side: 'response', part: 'status', pointer: '', rule: 'responses', ruleAt, value: status, message }]
    }
    const found = checkHeaders(rules.headers, headers, 'response', this.#units)
    if (body.missing) return found
    // These have no body whatever is described (RFC 9110, 6.4.1).
    const bodiless = this.ref.method === 'HEAD' || status === 204 || status === 304
    const bytes = contentOf(headers, body)
    if (bytes === undefined) {
      if (rules.content.byType.size > 0 && !bodiless) found.push(noBody('response', 'content', rules.content.pointer))
    } else if (rules.content.byType.size === 0) found.push(unexpectedBody('response', rules.pointer, bytes))
    else found.push(...checkBody(bytes, headers.get('content-type'), rules.content, 'response', this.#units))
    return found
  }

  /** What is said of a status: of itself, of its class (`4XX`), or of every other. */
  responseFor(status: number): ResponseRules | undefined {
    const byRange = [...this.responses].find(([key]) => key.toUpperCase() === `${Math.floor(status / 100)}XX`)?.[1]
    return this.responses.get(String(status)) ?? byRange ?? this.responses.get('default')
  }

  #checkRequestBody(headers: MessageHeaders, body: MessageBody): Violation[] {
    const rules = this.#body
    if (body.missing) return []
    const bytes = contentOf(headers, body)
    if (bytes === undefined) {
      return rules?.required === true ? [noBody('request', 'required', pointerTo(rules.pointer, 'required'))] : []
    }
    if (rules === undefined) return [unexpectedBody('request', this.ref.pointer, bytes)]
    return checkBody(bytes, headers.get('content-type'), rules.content, 'request', this.#units)
  }
}

/** What a message carries, decoded; `undefined` where that is nothing. */
function contentOf(headers: MessageHeaders, { bytes }: MessageBody): Uint8Array | undefined {
  if (bytes === undefined || bytes.byteLength === 0) return undefined
  return decodeContent(bytes, headers.get('content-encoding'))
}

function readRequestBody(document: OpenApiDocument, own: Place<JsonObject>): BodyRules | undefined {
  const body = own.node['requestBody']
  if (body === undefined) return undefined
  const at = pointerTo(own.pointer, 'requestBody')
  const place = document.object(document.follow({ node: body, pointer: at }), 'a request body')
  const content = readContent(document, place)
  if (content.byType.size === 0) throw document.invalid(place.pointer, 'a request body needs `content`')
  return { pointer: place.pointer, required: place.node['required'] === true, content }
}

function readResponses(document: OpenApiDocument, own: Place<JsonObject>): Map<string, ResponseRules> {
  const pointer = pointerTo(own.pointer, 'responses')
  const { node } = document.object({ node: own.node['responses'], pointer }, '`responses`')
  const found = new Map<string, ResponseRules>()
  for (const [status, value] of Object.entries(node)) {
    if (status.startsWith('x-')) continue
    const at = pointerTo(pointer, status)
    if (!/^([1-5]\d\d|[1-5]XX|default)$/i.test(status)) {
      throw document.invalid(at, `\`${status}\` is no status`, 'Name it 200, 2XX or default.')
    }
    const place = document.object(document.follow({ node: value, pointer: at }), 'a response')
    const headers = place.node['headers'] ?? {}
    if (!isObject(headers))
      throw document.invalid(pointerTo(place.pointer, 'headers'), `headers are ${kindOf(headers)}`)
    found.set(status, {
      pointer: place.pointer,
      status,
      headers: Object.entries(headers)
        .filter(([name]) => name.toLowerCase() !== 'content-type')
        .map(([name, node]) =>
          readHeader(document, { node, pointer: pointerTo(place.pointer, 'headers', name) }, name),
        ),
      content: readContent(document, place),
    })
  }
  if (found.size === 0) throw document.invalid(pointer, 'an operation needs at least one response')
  return found
}

function noBody(side: Violation['side'], rule: string, ruleAt: string): Violation {
  return { side, part: 'body', pointer: '', rule, ruleAt, value: undefined, message: 'is missing; it is required' }
}

function unexpectedBody(side: Violation['side'], ruleAt: string, bytes: Uint8Array): Violation {
  const value = Buffer.from(bytes.subarray(0, 200)).toString('utf8')
  const rule = side === 'request' ? 'requestBody' : 'content'
  return { side, part: 'body', pointer: '', rule, ruleAt, value, message: 'must not be there: none is described' }
}
