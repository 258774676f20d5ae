import { isObject, kindOf } from './document.ts'
import type { JsonObject, OpenApiDocument, Place } from './document.ts'
import { pointerTo } from './json-pointer.ts'
import type { MessageHeaders } from './message-headers.ts'
import { listed } from './rule-messages.ts'
import type { MessagePart, Violation } from './types.ts'

/** How a request shows who it comes from: something to be there, in a header, the query or a cookie. */
interface Credential {
  readonly part: MessagePart & ('header' | 'query' | 'cookie')
  readonly name: string
  /** The header begins with this word: `bearer`, `basic`. */
  readonly word: string | undefined
}

/** What an operation demands: one of several sets, each complete. */
export interface SecurityRules {
  readonly pointer: string
  readonly alternatives: readonly (readonly Credential[])[]
}

/** The security of an operation, else of the document; `undefined` where neither demands any. */
export function readSecurity(document: OpenApiDocument, operation: Place<JsonObject>): SecurityRules | undefined {
  const owner: Place<JsonObject> = 'security' in operation.node ? operation : { node: document.root, pointer: '' }
  const list = owner.node['security']
  if (list === undefined) return undefined
  const pointer = pointerTo(owner.pointer, 'security')
  if (!Array.isArray(list)) throw document.invalid(pointer, `security is to be an array and is ${kindOf(list)}`)
  const alternatives = list.map((one: unknown, index) => {
    const { node } = document.object({ node: one, pointer: pointerTo(pointer, index) }, 'a security requirement')
    return Object.keys(node).flatMap((name) => credentialOf(document, name, pointerTo(pointer, index, name)))
  })
  return alternatives.length === 0 ? undefined : { pointer, alternatives }
}

/** Names in the query that belong to security, not to parameters. */
export function queryNames(rules: SecurityRules | undefined): string[] {
  return (rules?.alternatives.flat() ?? []).flatMap(({ part, name }) => (part === 'query' ? [name] : []))
}

/** Whether a request shows what is demanded. That it is right, only the service knows. */
export function checkSecurity(rules: SecurityRules | undefined, headers: MessageHeaders, query: string): Violation[] {
  if (rules === undefined) return []
  const given = new URLSearchParams(query)
  const cookies = (headers.get('cookie') ?? '').split(';').map((cookie) => cookie.split('=')[0]?.trim())
  const shows = ({ part, name, word }: Credential): boolean => {
    if (part === 'query') return given.has(name)
    if (part === 'cookie') return cookies.includes(name)
    const value = headers.get(name)
    return value !== undefined && (word === undefined || value.toLowerCase().startsWith(`${word} `))
  }
  if (rules.alternatives.some((credentials) => credentials.every(shows))) return []
  const lacking = rules.alternatives.flatMap((credentials) => credentials.filter((one) => !shows(one)).slice(0, 1))
  const [first] = lacking
  if (first === undefined) return []
  const wanted = [
    ...new Set(lacking.map(({ part, name, word }) => `${part} \`${name}${word === undefined ? '' : `: ${word} …`}\``)),
  ]
  // A wrong credential is not shown: it may be a real one.
  const value = first.part === 'header' && headers.get(first.name) !== undefined ? 'something else' : undefined
  const place = { pointer: pointerTo('', first.name), rule: 'security', ruleAt: rules.pointer, value }
  return [{ side: 'request', part: first.part, ...place, message: `lacks credentials: ${listed(wanted)}` }]
}

function credentialOf(document: OpenApiDocument, name: string, at: string): Credential[] {
  const components = document.root['components']
  const schemes = isObject(components) ? components['securitySchemes'] : undefined
  const place = pointerTo('/components/securitySchemes', name)
  if (!isObject(schemes) || !isObject(schemes[name])) {
    throw document.invalid(at, `there is no security scheme \`${name}\``, `Describe it at #${place}.`)
  }
  const { node, pointer } = document.object(document.placeAt(place), 'a security scheme')
  switch (node['type']) {
    case 'apiKey': {
      const part = node['in']
      if (typeof node['name'] !== 'string' || (part !== 'header' && part !== 'query' && part !== 'cookie')) {
        throw document.invalid(pointer, 'an API key needs a `name`, and `in`: header, query or cookie')
      }
      return [{ part, name: node['name'], word: undefined }]
    }
    case 'http':
      return [{ part: 'header', name: 'Authorization', word: String(node['scheme']).toLowerCase() }]
    case 'oauth2':
    case 'openIdConnect':
      return [{ part: 'header', name: 'Authorization', word: 'bearer' }]
    case 'mutualTLS':
      // Shown below HTTP.
      return []
    default:
      throw document.invalid(pointer, `a security scheme's type cannot be ${JSON.stringify(node['type'])}`)
  }
}
