import { isObject } from './document.ts'
import type { JsonObject, OpenApiDocument, Place } from './document.ts'
import { nestPairs, parsePairs } from './form-fields.ts'
import { pointerTo } from './json-pointer.ts'
import { isJson, matchingKey, parseMediaType } from './media-types.ts'
import type { MediaType } from './media-types.ts'
import { parseMultipart } from './multipart-body.ts'
import { listed } from './rule-messages.ts'
import type { SchemaUnits } from './schema-units.ts'
import { ownObject, typedText, typedTexts, typedTree } from './typed-text.ts'
import type { Side, Violation } from './types.ts'

/** What a message may carry: the `content` of a request body or of a response, by media type. */
export interface ContentRules {
  /** Where `content` stands. */
  readonly pointer: string
  readonly byType: ReadonlyMap<string, ContentRule>
}

/** What is said of one media type. */
export interface ContentRule {
  readonly pointer: string
  /** Where its schema stands; `undefined` where there is none. */
  readonly schema: string | undefined
  /** How single fields of a form are written. */
  readonly encoding: JsonObject
}

/** Reads a `content` object. */
export function readContent(document: OpenApiDocument, holder: Place<JsonObject>): ContentRules {
  const pointer = pointerTo(holder.pointer, 'content')
  const content = holder.node['content'] ?? {}
  const { node } = document.object({ node: content, pointer }, '`content`')
  const byType = new Map<string, ContentRule>()
  for (const [type, value] of Object.entries(node)) {
    const at = pointerTo(pointer, type)
    const media = document.object(document.follow({ node: value, pointer: at }), 'a media type')
    if (parseMediaType(type) === undefined) throw document.invalid(at, `${JSON.stringify(type)} is no media type`)
    byType.set(type, {
      pointer: media.pointer,
      schema: 'schema' in media.node ? pointerTo(media.pointer, 'schema') : undefined,
      encoding: isObject(media.node['encoding']) ? media.node['encoding'] : {},
    })
  }
  return { pointer, byType }
}

/** What of a body breaks the document, its Content-Type included. The body is there. */
export function checkBody(
  body: Uint8Array,
  contentType: string | undefined,
  rules: ContentRules,
  side: Side,
  units: SchemaUnits,
): Violation[] {
  const keys = [...rules.byType.keys()]
  const media = contentType === undefined ? undefined : parseMediaType(contentType)
  const key = media === undefined ? undefined : matchingKey(keys, media)
  const rule = key === undefined ? undefined : rules.byType.get(key)
  if (media === undefined || rule === undefined) {
    const place = { pointer: '', rule: 'content', ruleAt: rules.pointer, value: contentType }
    const seen = contentType === undefined ? 'is missing; ' : ''
    return [{ side, part: 'content-type', ...place, message: `${seen}must be ${listed(keys)}` }]
  }
  const read = readBody(body, media, rule, units)
  if ('problem' in read) {
    const place = { pointer: read.pointer, rule: read.rule, ruleAt: rule.pointer, value: read.value }
    return [{ side, part: 'body', ...place, message: read.problem }]
  }
  if (rule.schema === undefined || read.unchecked) return read.violations.map((one) => ({ ...one, side }))
  const findings = units.check(rule.schema, side, read.value)
  return [
    ...read.violations.map((one) => ({ ...one, side })),
    ...findings.map((one) => ({ side, part: 'body' as const, ...one })),
  ]
}

interface ReadBody {
  readonly value: unknown
  /** There is nothing to hold the schema against: bytes of a format that is not read here. */
  readonly unchecked: boolean
  readonly violations: readonly Violation[]
}

interface UnreadableBody {
  readonly problem: string
  readonly pointer: string
  readonly rule: string
  readonly value: unknown
}

function readBody(
  body: Uint8Array,
  media: MediaType,
  rule: ContentRule,
  units: SchemaUnits,
): ReadBody | UnreadableBody {
  if (media.type.startsWith('multipart/')) return readMultipart(body, media, rule, units)
  const isForm = media.type === 'application/x-www-form-urlencoded'
  if (!isForm && !isJson(media.type) && !media.type.startsWith('text/')) return read(undefined, true)
  const text = decodeText(body, media)
  if (text === undefined) return unreadable('charset', 'is not UTF-8', `${body.byteLength} bytes`)
  if (isForm) return readForm(text, rule, units)
  if (!isJson(media.type)) return readPlain(text, rule, units)
  try {
    return read(JSON.parse(text) as unknown, false)
  } catch (error) {
    return unreadable('json', `is not JSON: ${(error as Error).message}`, text)
  }
}

function readPlain(text: string, { schema }: ContentRule, { view }: SchemaUnits): ReadBody {
  const schemas = schema === undefined ? [] : [schema]
  const types = view.types(schemas)
  // Events, CSV and the like: a schema of objects says what their lines mean, which nobody can read off the text.
  const isScalar = types.has('string') || types.has('integer') || types.has('number') || types.has('boolean')
  return read(isScalar ? typedText(text, schemas, view) : undefined, !isScalar)
}

function readForm(text: string, rule: ContentRule, units: SchemaUnits): ReadBody | UnreadableBody {
  const schemas = rule.schema === undefined ? [] : [rule.schema]
  const { view } = units
  const names = rule.schema === undefined ? [] : view.names(rule.schema)
  const { root, problems } = nestPairs(parsePairs(text), names)
  const [problem] = problems
  if (problem !== undefined) {
    return unreadable('form', `\`${problem.name}\` ${problem.message}`, text)
  }
  const entries: [string, unknown][] = []
  for (const [name, tree] of root.children) {
    const own = view.property(schemas, name)
    const [only = ''] = tree.texts
    const isOne = tree.children.size === 0 && tree.texts.length === 1
    const encoding = isObject(rule.encoding[name]) ? rule.encoding[name] : {}
    if (isOne && isJson(parseMediaType(String(encoding['contentType']))?.type ?? '')) {
      try {
        entries.push([name, JSON.parse(only)])
      } catch (error) {
        return unreadable('json', `is not JSON: ${(error as Error).message}`, only, pointerTo('', name))
      }
    } else if (isOne && encoding['explode'] === false && view.types(own).has('array')) {
      entries.push([name, typedTexts(only.split(','), own, view)])
    } else entries.push([name, typedTree(tree, own, view)])
  }
  return read(ownObject(entries), false)
}

function readMultipart(
  body: Uint8Array,
  media: MediaType,
  rule: ContentRule,
  units: SchemaUnits,
): ReadBody | UnreadableBody {
  const parts = parseMultipart(body, media.parameters.get('boundary'))
  if (typeof parts === 'string')
    return unreadable('multipart', `cannot be taken apart: ${parts}`, `${body.byteLength} bytes`)
  const schemas = rule.schema === undefined ? [] : [rule.schema]
  const { view } = units
  const values = new Map<string, unknown[]>()
  const violations: Violation[] = []
  for (const { name, filename, type, bytes } of parts) {
    const own = view.property(schemas, name)
    const wanted = isObject(rule.encoding[name]) ? rule.encoding[name]['contentType'] : undefined
    const seen = type ?? { type: 'text/plain', parameters: new Map<string, string>() }
    if (
      typeof wanted === 'string' &&
      matchingKey(
        wanted.split(',').map((one) => one.trim()),
        seen,
      ) === undefined
    ) {
      const ruleAt = pointerTo(rule.pointer, 'encoding', name, 'contentType')
      const place = { pointer: pointerTo('', name), rule: 'contentType', ruleAt, value: seen.type }
      violations.push({ side: 'request', part: 'body', ...place, message: `must be of the media type ${wanted}` })
    }
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const items = view.types(own).has('array') && !view.types(own).has('string') ? view.items(own) : own
    const isData = type === undefined ? isStructured(items, units) : isJson(type.type)
    if (isData && filename === undefined) {
      try {
        // A list may be one part of JSON, or a part for each item.
        const value = JSON.parse(text.toString('utf8')) as unknown
        values.set(name, [...(values.get(name) ?? []), ...(Array.isArray(value) && items !== own ? value : [value])])
      } catch (error) {
        return unreadable(
          'json',
          `is not JSON: ${(error as Error).message}`,
          text.toString('utf8'),
          pointerTo('', name),
        )
      }
      continue
    }
    const isFile = filename !== undefined || (type !== undefined && !type.type.startsWith('text/'))
    const value = isFile ? text.toString('latin1') : typedText(text.toString('utf8'), items, view)
    values.set(name, [...(values.get(name) ?? []), value])
  }
  const entries = [...values].map(([name, list]) => {
    const types = view.types(view.property(schemas, name))
    return [name, list.length === 1 && !(types.has('array') && !types.has('string')) ? list[0] : list] as const
  })
  return { ...read(ownObject(entries), false), violations }
}

/** Whether a part without a type of its own is JSON: where only an object can be meant. */
function isStructured(schemas: readonly string[], { view }: SchemaUnits): boolean {
  const types = view.types(schemas)
  return types.has('object') && !types.has('string')
}

function decodeText(body: Uint8Array, media: MediaType): string | undefined {
  const charset = media.parameters.get('charset') ?? 'utf-8'
  try {
    return new TextDecoder(isJson(media.type) ? 'utf-8' : charset, { fatal: true }).decode(body)
  } catch {
    return undefined
  }
}

function read(value: unknown, unchecked: boolean): ReadBody {
  return { value, unchecked, violations: [] }
}

function unreadable(rule: string, problem: string, value: unknown, pointer = ''): UnreadableBody {
  return { problem, pointer, rule, value }
}
