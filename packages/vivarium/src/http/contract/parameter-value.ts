import type { Parameter } from './parameter.ts'
import type { SchemaView } from './schema-view.ts'
import { ownObject, typedText, typedTexts } from './typed-text.ts'

/** A parameter's value; or why what was sent cannot be read as one. */
export type ParameterValue = { readonly value: unknown } | { readonly problem: string }

/**
 * Reads a parameter that is one text: in a path, a header, a cookie, or in a query that is not exploded. `raw` is still
 * percent-encoded, so that a comma that is data can be told from one that divides; a header is not (`decode` false).
 */
export function readText(parameter: Parameter, raw: string, view: SchemaView, decode: boolean): ParameterValue {
  const schemas = parameter.schema === undefined ? [] : [parameter.schema]
  const value = (text: string): string => (decode ? decoded(text, parameter.in === 'query') : text.trim())
  try {
    if (parameter.json) return readJson(value(raw))
    const kind = kindOf(schemas, view)
    if (kind === 'text') {
      const text = value(withoutPrefix(parameter, raw, false))
      return { value: typedText(text, schemas, view) }
    }
    const pieces = split(parameter, withoutPrefix(parameter, raw, kind === 'object'), value)
    if (kind === 'list') return { value: pieces.map((piece) => typedText(piece, view.items(schemas), view)) }
    return readObject(parameter, pieces, schemas, view)
  } catch (error) {
    if (error instanceof UnreadableParameter) return { problem: error.message }
    throw error
  }
}

/** Reads a query's or cookie's parameter that is given by its name, once or several times (`form`, exploded). */
export function readTexts(parameter: Parameter, texts: readonly string[], view: SchemaView): ParameterValue {
  if (parameter.json) return texts.length === 1 ? readJson(texts[0] ?? '') : { problem: 'is given more than once' }
  const schemas = parameter.schema === undefined ? [] : [parameter.schema]
  if (texts.length > 1 && !view.types(schemas).has('array')) return { problem: 'is given more than once' }
  return { value: typedTexts(texts, schemas, view) }
}

/** What a parameter's value is: decides how its text is divided. */
export function kindOf(schemas: readonly string[], view: SchemaView): 'text' | 'list' | 'object' {
  const types = view.types(schemas)
  if (types.has('string') || types.has('integer') || types.has('number') || types.has('boolean')) return 'text'
  if (types.has('array')) return 'list'
  return types.has('object') ? 'object' : 'text'
}

class UnreadableParameter extends Error {}

function readJson(text: string): ParameterValue {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch (error) {
    return { problem: `is not JSON: ${(error as Error).message}` }
  }
}

/** Label and matrix begin with a sign and a name, which is no part of the value. */
function withoutPrefix(parameter: Parameter, raw: string, isObject: boolean): string {
  const { name, style, explode } = parameter
  if (style === 'label') {
    if (raw.startsWith('.')) return raw.slice(1)
    throw new UnreadableParameter('must begin with a dot (style `label`)')
  }
  if (style !== 'matrix') return raw
  if (isObject && explode && raw.startsWith(';')) return raw.slice(1)
  if (raw.startsWith(`;${name}=`)) return raw.slice(name.length + 2)
  throw new UnreadableParameter(`must begin with \`;${name}=\` (style \`matrix\`)`)
}

/** The pieces of a list or an object, decoded. */
function split(parameter: Parameter, raw: string, value: (text: string) => string): string[] {
  if (raw === '') return []
  const { name, style, explode } = parameter
  switch (style) {
    case 'label':
      return raw.split(explode ? '.' : ',').map(value)
    case 'matrix':
      if (!explode) return raw.split(',').map(value)
      return raw.split(';').map((piece) => value(piece.startsWith(`${name}=`) ? piece.slice(name.length + 1) : piece))
    case 'spaceDelimited':
      return value(raw).split(' ')
    case 'pipeDelimited':
      return value(raw).split('|')
    case 'simple':
    case 'form':
    case 'deepObject':
      // Many clients encode the comma as well; then no other one is left to divide by.
      return raw.includes(',') ? raw.split(',').map(value) : value(raw).split(',')
  }
}

function readObject(
  parameter: Parameter,
  pieces: readonly string[],
  schemas: readonly string[],
  view: SchemaView,
): ParameterValue {
  const { style, explode } = parameter
  const entries: [string, string][] = []
  if (explode && (style === 'simple' || style === 'label' || style === 'matrix')) {
    for (const piece of pieces) {
      const equals = piece.indexOf('=')
      if (equals === -1) return { problem: `must be a list of \`name=value\`, has ${JSON.stringify(piece)}` }
      entries.push([piece.slice(0, equals), piece.slice(equals + 1)])
    }
  } else {
    if (pieces.length % 2 !== 0) return { problem: 'must be names and values in turn, and one has no value' }
    for (let index = 0; index < pieces.length; index += 2) entries.push([pieces[index] ?? '', pieces[index + 1] ?? ''])
  }
  const typed = entries.map(([name, text]) => [name, typedText(text, view.property(schemas, name), view)] as const)
  return { value: ownObject(typed) }
}

function decoded(text: string, plusIsSpace: boolean): string {
  try {
    return decodeURIComponent(plusIsSpace ? text.replaceAll('+', ' ') : text)
  } catch {
    throw new UnreadableParameter(`is not percent-encoded rightly: ${JSON.stringify(text)}`)
  }
}
