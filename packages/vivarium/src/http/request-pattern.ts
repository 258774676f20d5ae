import { type Difference, differences } from '../core/differences.ts'
import { VivariumError } from '../core/errors.ts'
import { refuseUnknownKeys } from '../core/options.ts'
import { isMatcher } from '../core/print-value.ts'
import { fieldsOf, headerOf, jsonOf, type ReceivedRequest, textOrBytes } from './received-request.ts'

/**
 * What a request must have besides its method and path. Values are compared whole, and may be matchers of `expect`
 * (`expect.any(String)`) or regular expressions.
 */
export interface RequestCriteria {
  /** All fields of the query. */
  query?: Readonly<Record<string, unknown>>
  /** The headers named here; others are not looked at. */
  headers?: Readonly<Record<string, unknown>>
  /** The body as JSON. */
  json?: unknown
  /** The fields of a form-encoded body; nested ones as objects (`{ metadata: { order: 17 } }` is `metadata[order]=17`). */
  form?: Readonly<Record<string, unknown>>
  /** The body as a text. */
  text?: unknown
}

/** A method and a path or URL, with what the request must have besides. */
export interface RequestPattern {
  readonly text: string
  readonly criteria: RequestCriteria
  readonly origin: string
  /** Everything in which the request is not as wanted; the method and the path come first. */
  compare(request: ReceivedRequest): readonly Difference[]
}

const criteriaNames = ['query', 'headers', 'json', 'form', 'text'] as const satisfies readonly (keyof RequestCriteria)[]

const form = /^([A-Z]+|\*) (\S+)$/

/** Reads `'POST /v1/charges/:id'`; a path belongs to `baseUrl`. Throws `CONFIG_INVALID` where it is none. */
export function readPattern(text: string, criteria: RequestCriteria, baseUrl: URL): RequestPattern {
  refuseUnknownKeys(criteria, criteriaNames, '', `what '${text}' must have`)
  const [, method, target] = form.exec(text) ?? []
  if (method === undefined || target === undefined || !/^(\/|https?:\/\/)[^?#]*$/.test(target)) throw invalid(text)
  const absolute = target.startsWith('/') ? `${baseUrl.href.replace(/\/$/, '')}${target}` : target
  const origin = /^https?:\/\/[^/]+/.exec(absolute)![0]
  const path = absolute.slice(origin.length) || '/'
  // As it is sent: encoded where it is not ASCII.
  const matchesPath = new RegExp(`^${new URL(absolute).pathname.split('/').map(segment).join('/')}$`)
  return {
    text,
    criteria,
    origin: new URL(origin).origin,
    compare: (request) => [
      ...(method === '*' || method === request.method
        ? []
        : [{ path: 'method', expected: method, received: request.method }]),
      ...(request.url.origin === new URL(origin).origin
        ? []
        : [{ path: 'origin', expected: origin, received: request.url.origin }]),
      ...(matchesPath.test(request.url.pathname)
        ? []
        : [{ path: 'path', expected: path, received: request.url.pathname }]),
      ...compareRest(criteria, request),
    ],
  }
}

function compareRest(criteria: RequestCriteria, request: ReceivedRequest): readonly Difference[] {
  const found: Difference[] = []
  if (criteria.query !== undefined) {
    found.push(...differences(flat(criteria.query, 'names'), fieldsOf(request.url.searchParams), 'query'))
  }
  for (const [name, value] of Object.entries(criteria.headers ?? {})) {
    found.push(...differences(matching(value), headerOf(request, name.toLowerCase()), `headers.${name.toLowerCase()}`))
  }
  const text = textOrBytes(request.body)
  if ('json' in criteria) found.push(...differences(matching(criteria.json), jsonOf(request) ?? text, 'json'))
  if (criteria.form !== undefined) {
    const fields = fieldsOf(new URLSearchParams(typeof text === 'string' ? text : ''))
    found.push(...differences(flat(criteria.form, 'positions'), fields, 'form'))
  }
  if ('text' in criteria) found.push(...differences(matching(criteria.text), text ?? '', 'text'))
  return found
}

/**
 * Nested values by their name in a form: `metadata[order]`. Numbers and truth values as they are sent, as texts. A list is
 * numbered (`items[0]`), or in a query one name several times.
 */
function flat(value: Readonly<Record<string, unknown>>, lists: 'positions' | 'names'): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  const add = (name: string, one: unknown): void => {
    if (typeof one === 'number' || typeof one === 'boolean') fields[name] = String(one)
    else if (Array.isArray(one) && lists === 'names')
      fields[name] = one.map((inner) => (isMatcher(inner) ? inner : String(inner)))
    else if (Array.isArray(one)) one.forEach((inner, index) => add(`${name}[${index}]`, inner))
    else if (isPlain(one)) for (const [key, inner] of Object.entries(one)) add(`${name}[${key}]`, inner)
    else fields[name] = matching(one)
  }
  for (const [name, one] of Object.entries(value)) add(name, one)
  return fields
}

/** A regular expression as a matcher: it is found in a text. */
function matching(value: unknown): unknown {
  if (!(value instanceof RegExp)) return value
  // A pattern with `g` or `y` remembers where it stopped.
  const pattern = new RegExp(value.source, value.flags.replaceAll(/[gy]/g, ''))
  return {
    asymmetricMatch: (text: unknown) => typeof text === 'string' && pattern.test(text),
    toString: () => String(value),
  }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

function segment(text: string): string {
  if (text === '*') return '.*'
  if (text.startsWith(':')) return '[^/]+'
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
}

function invalid(text: string): VivariumError {
  return new VivariumError('CONFIG_INVALID', {
    what: 'This is no request that could be expected, stubbed or denied.',
    seen: JSON.stringify(text),
    remedy:
      "Write the method and the path, or the whole URL: 'POST /v1/charges', 'GET https://api.example.com/users/:id'. `:name` stands for " +
      'one part of the path, `*` for any number of them; what is in the query or the body goes into the second argument.',
  })
}
