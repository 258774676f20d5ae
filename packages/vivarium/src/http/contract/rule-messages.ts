import { nearestName } from '../../core/nearest-name.ts'
import { kindOf } from './document.ts'

type Params = Readonly<Record<string, unknown>>

/** What a keyword of JSON Schema wants and what was seen, in words; the place is told beside it. */
export function sayRule(rule: string, params: Params, value: unknown, schema: unknown): string {
  const limit = String(params['limit'])
  switch (rule) {
    case 'type':
      return `must be ${listed([schema].flat().map((type) => withArticle(String(type))))}, is ${kindOf(value)}`
    case 'enum':
      return `must be ${listed((schema as unknown[]).map((one) => JSON.stringify(one)))}`
    case 'const':
      return `must be ${JSON.stringify(schema)}`
    case 'minimum':
      return `must be at least ${limit}`
    case 'maximum':
      return `must be at most ${limit}`
    case 'exclusiveMinimum':
      return `must be above ${limit}`
    case 'exclusiveMaximum':
      return `must be below ${limit}`
    case 'multipleOf':
      return `must be a multiple of ${String(params['multipleOf'])}`
    case 'minLength':
      return `must have at least ${counted(limit, 'character')}`
    case 'maxLength':
      return `must have at most ${counted(limit, 'character')}`
    case 'minItems':
    case 'maxItems':
      return `must have ${rule === 'minItems' ? 'at least' : 'at most'} ${counted(limit, 'item')}, has ${(value as unknown[]).length}`
    case 'minProperties':
    case 'maxProperties':
      return `must have ${rule === 'minProperties' ? 'at least' : 'at most'} ${counted(limit, 'field')}`
    case 'pattern':
      return `must match ${String(schema)}`
    case 'format':
      return `must have the format ${String(schema)}`
    case 'uniqueItems':
      return `must not have the same item twice (nos. ${Number(params['j']) + 1} and ${Number(params['i']) + 1})`
    case 'contains':
      return 'must contain an item that it does not'
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return unknownField(String(params['name']), params['known'] as readonly string[])
    case 'unevaluatedItems':
    case 'items':
      return `must have at most ${counted(limit, 'item')}`
    case 'propertyNames':
      return `has a field whose name is not allowed: ${JSON.stringify(params['propertyName'])}`
    case 'not':
      return 'must not fit this schema'
    case 'false':
      return 'must not be there'
    case 'readOnly':
      return 'must not be sent: only the service sets it'
    case 'writeOnly':
      return 'must not be answered: it is only ever sent'
    default:
      return `breaks the rule “${rule}”`
  }
}

/** What is said of a field that is not there. */
export function missing(rule: string, params: Params): string {
  return rule === 'dependentRequired'
    ? `is missing; it is required where \`${String(params['property'])}\` is given`
    : 'is missing; it is required'
}

/** What is said of a name that the document does not list. */
export function unknownField(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known)
  if (nearest !== undefined) return `is not known here; did you mean \`${nearest}\`?`
  if (known.length === 0) return 'is not known here'
  const shown = known.slice(0, 8).join(', ')
  return `is not known here; known: ${shown}${known.length > 8 ? `, and ${known.length - 8} more` : ''}`
}

/** Words as a person lists them: a, b or c. */
export function listed(words: readonly string[]): string {
  if (words.length < 2) return words[0] ?? 'nothing'
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

function withArticle(type: string): string {
  if (type === 'null') return type
  return `${/^[aio]/.test(type) ? 'an' : 'a'} ${type}`
}

function counted(count: string, noun: string): string {
  return `${count} ${noun}${count === '1' ? '' : 's'}`
}
