import { isObject, kindOf } from './document.ts'
import type { JsonObject, OpenApiDocument, Place } from './document.ts'
import { pointerTo } from './json-pointer.ts'
import { isJson, parseMediaType } from './media-types.ts'

/** Where a parameter is sent. */
export type ParameterPlace = 'path' | 'query' | 'header' | 'cookie'

/** How a parameter's value is written in a URL or a header (OpenAPI's `style`). */
export type ParameterStyle = 'simple' | 'label' | 'matrix' | 'form' | 'spaceDelimited' | 'pipeDelimited' | 'deepObject'

/** A parameter as the document describes it. A response's header is one, too. */
export interface Parameter {
  readonly name: string
  readonly in: ParameterPlace
  /** Where it is described. */
  readonly pointer: string
  readonly required: boolean
  readonly style: ParameterStyle
  readonly explode: boolean
  readonly allowEmpty: boolean
  /** Where its schema stands; `undefined` where there is none. */
  readonly schema: string | undefined
  /** Its value is a text of JSON: `content` in place of `schema`. */
  readonly json: boolean
}

const styles: Readonly<Record<ParameterPlace, readonly ParameterStyle[]>> = {
  path: ['simple', 'label', 'matrix'],
  query: ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'],
  header: ['simple'],
  cookie: ['form'],
}

/** Headers that OpenAPI describes by other means; a parameter of this name is to be passed over. */
const otherwise: ReadonlySet<string> = new Set(['accept', 'content-type', 'authorization'])

/** The parameters of an operation: the path's, where the operation has none of the same name and place, then its own. */
export function readParameters(
  document: OpenApiDocument,
  item: Place<JsonObject>,
  operation: Place<JsonObject>,
): Parameter[] {
  const found = new Map<string, Parameter>()
  for (const { node, pointer } of [item, operation]) {
    const list = node['parameters']
    if (list === undefined) continue
    const at = pointerTo(pointer, 'parameters')
    if (!Array.isArray(list)) throw document.invalid(at, `parameters are to be an array and are ${kindOf(list)}`)
    const here = new Set<string>()
    list.forEach((one: unknown, index) => {
      const own = pointerTo(at, index)
      const parameter = readParameter(
        document,
        document.object(document.follow({ node: one, pointer: own }), 'a parameter'),
      )
      if (parameter.in === 'header' && otherwise.has(parameter.name.toLowerCase())) return
      const key = `${parameter.in} ${parameter.name}`
      if (here.has(key))
        throw document.invalid(own, `the ${parameter.in} parameter \`${parameter.name}\` is listed twice`)
      here.add(key)
      found.set(key, parameter)
    })
  }
  return [...found.values()]
}

function readParameter(document: OpenApiDocument, { node, pointer }: Place<JsonObject>): Parameter {
  const { name } = node
  if (typeof name !== 'string' || name === '') throw document.invalid(pointer, 'a parameter needs a `name`')
  const place = node['in']
  if (typeof place !== 'string' || !Object.hasOwn(styles, place)) {
    const seen = place === undefined ? 'missing' : JSON.stringify(place)
    const wanted = Object.keys(styles).join(', ')
    throw document.invalid(pointer, `\`in\` of the parameter \`${name}\` is ${seen}`, `Give it one of: ${wanted}.`)
  }
  return readSimple(document, { node, pointer }, name, place as ParameterPlace)
}

/** A header of a response. */
export function readHeader(document: OpenApiDocument, place: Place, name: string): Parameter {
  return readSimple(document, document.object(document.follow(place), 'a header'), name, 'header')
}

function readSimple(
  document: OpenApiDocument,
  { node, pointer }: Place<JsonObject>,
  name: string,
  place: ParameterPlace,
): Parameter {
  const allowed = styles[place]
  const style = (node['style'] ?? allowed[0]) as ParameterStyle
  if (!allowed.includes(style)) {
    const problem = `the style ${JSON.stringify(style)} does not exist for a ${place} parameter`
    throw document.invalid(pointerTo(pointer, 'style'), problem, `Give it one of: ${allowed.join(', ')}.`)
  }
  const [media, ...others] = isObject(node['content']) ? Object.keys(node['content']) : []
  if (media !== undefined && (others.length > 0 || 'schema' in node)) {
    throw document.invalid(
      pointer,
      `the parameter \`${name}\` is to have either a \`schema\` or \`content\` of one type`,
    )
  }
  const holder = media === undefined ? { node, pointer } : document.placeAt(pointerTo(pointer, 'content', media))
  const explode = node['explode']
  return {
    name,
    in: place,
    pointer,
    // A path without it would be another path.
    required: place === 'path' || node['required'] === true,
    style,
    explode: typeof explode === 'boolean' ? explode : style === 'form' || style === 'deepObject',
    allowEmpty: node['allowEmptyValue'] === true,
    schema: isObject(holder.node) && 'schema' in holder.node ? pointerTo(holder.pointer, 'schema') : undefined,
    json: media !== undefined && isJson(parseMediaType(media)?.type ?? ''),
  }
}
