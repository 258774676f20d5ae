import { nestPairs } from './form-fields.ts'
import { pointerTo } from './json-pointer.ts'
import type { MessageHeaders } from './message-headers.ts'
import type { Parameter } from './parameter.ts'
import { kindOf, readText, readTexts } from './parameter-value.ts'
import type { ParameterValue } from './parameter-value.ts'
import { unknownField } from './rule-messages.ts'
import type { SchemaUnits } from './schema-units.ts'
import { ownObject, typedTexts, typedTree } from './typed-text.ts'
import type { Side, Violation } from './types.ts'

/** Values of the names in a path's braces, still encoded. */
export function checkPath(
  parameters: readonly Parameter[],
  values: ReadonlyMap<string, string>,
  units: SchemaUnits,
): Violation[] {
  return of(parameters, 'path').flatMap((parameter) => {
    const raw = values.get(parameter.name)
    return raw === undefined ? [] : judge(parameter, readText(parameter, raw, units.view, true), raw, 'request', units)
  })
}

/** A header of a request, or of a response. */
export function checkHeaders(
  parameters: readonly Parameter[],
  headers: MessageHeaders,
  side: Side,
  units: SchemaUnits,
): Violation[] {
  return of(parameters, 'header').flatMap((parameter) => {
    const text = headers.get(parameter.name)
    if (text === undefined) return absent(parameter, side)
    return judge(parameter, readText(parameter, text, units.view, false), text, side, units)
  })
}

/** The cookies of a request; those that the document does not list are somebody else's. */
export function checkCookies(
  parameters: readonly Parameter[],
  headers: MessageHeaders,
  units: SchemaUnits,
): Violation[] {
  const listed = of(parameters, 'cookie')
  if (listed.length === 0) return []
  const cookies = (headers.get('cookie') ?? '').split(';').flatMap((cookie): [string, string][] => {
    const equals = cookie.indexOf('=')
    return equals === -1 ? [] : [[cookie.slice(0, equals).trim(), cookie.slice(equals + 1).trim()]]
  })
  return listed.flatMap((parameter) => {
    const raw = cookies.find(([name]) => name === parameter.name)?.[1]
    if (raw === undefined) return absent(parameter, 'request')
    return judge(parameter, readText(parameter, raw, units.view, true), raw, 'request', units)
  })
}

interface QueryPair {
  readonly name: string
  /** Still encoded. */
  readonly raw: string
  readonly value: string
  used: boolean
}

/** The query of a request. Names that no parameter has are refused; `others` are those that security schemes have. */
export function checkQuery(
  parameters: readonly Parameter[],
  query: string,
  others: readonly string[],
  at: string,
  units: SchemaUnits,
): Violation[] {
  const listed = of(parameters, 'query')
  if (query === '' && listed.length === 0) return []
  const pairs = parseQuery(query)
  const found: Violation[] = []
  // An object that takes any name comes last: the others have theirs.
  for (const parameter of listed.toSorted((one, other) => greed(one, units) - greed(other, units))) {
    const seen = readQuery(parameter, pairs, units)
    if (seen === undefined) found.push(...absent(parameter, 'request'))
    else found.push(...judge(parameter, seen.value, seen.raw, 'request', units))
  }
  const known = listed.map(({ name }) => name)
  for (const name of new Set(
    pairs.filter((pair) => !pair.used && !others.includes(pair.name)).map((pair) => pair.name),
  )) {
    const value = pairs.find((pair) => pair.name === name)?.value
    const place = { pointer: pointerTo('', name), rule: 'parameters', ruleAt: pointerTo(at, 'parameters'), value }
    found.push({ side: 'request', part: 'query', ...place, message: unknownField(name, known) })
  }
  return found
}

/** A parameter's value in a query, its pairs marked as used; `undefined` where it is not there. */
function readQuery(
  parameter: Parameter,
  pairs: readonly QueryPair[],
  { view }: SchemaUnits,
): { value: ParameterValue; raw: string } | undefined {
  const { name, style, explode } = parameter
  const schemas = parameter.schema === undefined ? [] : [parameter.schema]
  const kind = parameter.json ? 'text' : kindOf(schemas, view)
  const take = (wanted: (pair: QueryPair) => boolean): QueryPair[] => {
    const taken = pairs.filter((pair) => !pair.used && wanted(pair))
    for (const pair of taken) pair.used = true
    return taken
  }
  if (style === 'deepObject') {
    const own = take((pair) => pair.name === name || pair.name.startsWith(`${name}[`))
    if (own.length === 0) return undefined
    const raw = own.map((pair) => `${pair.name}=${pair.value}`).join('&')
    const { root, problems } = nestPairs(
      own.map((pair) => [pair.name, pair.value] as const),
      [],
    )
    const [problem] = problems
    const tree = root.children.get(name)
    if (problem !== undefined || tree === undefined) return { value: { problem: problem?.message ?? '' }, raw }
    return { value: { value: typedTree(tree, schemas, view) }, raw }
  }
  if (kind === 'object' && style === 'form' && explode) {
    const names = view.names(parameter.schema ?? '')
    const any = parameter.schema === undefined || view.takesAnyName(parameter.schema)
    const own = take((pair) => any || names.includes(pair.name))
    if (own.length === 0) return undefined
    const each = [...new Set(own.map((pair) => pair.name))].map((key) => {
      const texts = own.filter((pair) => pair.name === key).map((pair) => pair.value)
      return [key, typedTexts(texts, view.property(schemas, key), view)] as const
    })
    return { value: { value: ownObject(each) }, raw: own.map((pair) => `${pair.name}=${pair.value}`).join('&') }
  }
  const own = take((pair) => pair.name === name)
  const [first] = own
  if (first === undefined) return undefined
  if (parameter.allowEmpty && own.length === 1 && first.value === '') return { value: { value: nothing }, raw: '' }
  const raw = own.map((pair) => pair.value).join('&')
  if (own.length === 1 && !explode) return { value: readText(parameter, first.raw, view, true), raw }
  return {
    value: readTexts(
      parameter,
      own.map((pair) => pair.value),
      view,
    ),
    raw,
  }
}

/** An empty value that is allowed whatever the schema says. */
const nothing = Symbol('empty')

function judge(parameter: Parameter, seen: ParameterValue, raw: string, side: Side, units: SchemaUnits): Violation[] {
  const at = pointerTo('', parameter.name)
  if ('problem' in seen) {
    const rule = { rule: 'style', ruleAt: parameter.pointer, value: raw }
    return [{ side, part: parameter.in, pointer: at, ...rule, message: seen.problem }]
  }
  if (parameter.schema === undefined || seen.value === nothing) return []
  const findings = units.check(parameter.schema, side, seen.value)
  return findings.map((one) => ({ side, part: parameter.in, ...one, pointer: at + one.pointer }))
}

function absent(parameter: Parameter, side: Side): Violation[] {
  if (!parameter.required) return []
  const rule = { rule: 'required', ruleAt: pointerTo(parameter.pointer, 'required'), value: undefined }
  return [
    {
      side,
      part: parameter.in,
      pointer: pointerTo('', parameter.name),
      ...rule,
      message: 'is missing; it is required',
    },
  ]
}

function of(parameters: readonly Parameter[], place: Parameter['in']): Parameter[] {
  return parameters.filter((parameter) => parameter.in === place)
}

/** 1 for a parameter that takes whatever names are left. */
function greed({ schema, style, explode }: Parameter, { view }: SchemaUnits): number {
  return schema !== undefined && style === 'form' && explode && kindOf([schema], view) === 'object' ? 1 : 0
}

function parseQuery(query: string): QueryPair[] {
  return query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=')
      const name = equals === -1 ? part : part.slice(0, equals)
      const raw = equals === -1 ? '' : part.slice(equals + 1)
      return { name: lenient(name), raw, value: lenient(raw), used: false }
    })
}

/** Decoded as the WHATWG does it: what is no percent-encoding stays as it is. */
function lenient(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return new URLSearchParams(`v=${text}`).get('v') ?? text
  }
}
