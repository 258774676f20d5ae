import { VivariumError } from '../../core/errors.ts'
import { OpenApiDocument, isObject, kindOf } from './document.ts'
import type { JsonObject } from './document.ts'
import { pointerTo } from './json-pointer.ts'

/** The methods that a path may have, as the document writes them. */
export const methods: readonly string[] = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']

/** Every place below a key of these is data, not part of the document: a `$ref` in it is a value like any other. */
const dataKeys: ReadonlySet<string> = new Set(['example', 'examples', 'default', 'enum', 'const', 'value'])

/** The keys of what stands below these are names that somebody chose. */
const nameMaps: ReadonlySet<string> = new Set([
  'properties',
  'patternProperties',
  'dependentSchemas',
  '$defs',
  'definitions',
  'schemas',
  'responses',
  'parameters',
  'requestBodies',
  'headers',
  'securitySchemes',
  'links',
  'callbacks',
  'pathItems',
  'paths',
  'content',
  'encoding',
  'variables',
])

/** At most so many problems in one error. */
const most = 10

/**
 * The document behind a value: its version, the frame of its paths, and every reference in it. What is inside an operation is
 * read when the operation is first used. Throws `CONTRACT_INVALID` with everything that is wrong.
 */
export function checkDocument(value: unknown, givenName: string | undefined): OpenApiDocument {
  const root = isObject(value) ? value : {}
  const info = isObject(root['info']) ? root['info'] : {}
  const name = givenName ?? (typeof info['title'] === 'string' ? info['title'] : 'untitled')
  const document = new OpenApiDocument(root, name, versionOf(value, name))
  const problems = [...pathProblems(document), ...referenceProblems(document, root)]
  const [only] = problems
  if (only !== undefined && problems.length === 1) throw only
  if (problems.length > 1) {
    const listed = problems.slice(0, most).map((problem) => `\n    ${problem.seen} ${problem.remedy}`)
    const more = problems.length > most ? `\n    and ${problems.length - most} more` : ''
    throw new VivariumError('CONTRACT_INVALID', {
      what: `The OpenAPI document “${name}” is not valid.`,
      seen: `${problems.length} problems${listed.join('')}${more}`,
      remedy: 'Correct the document there.',
    })
  }
  return document
}

function versionOf(value: unknown, name: string): '3.0' | '3.1' {
  const at = isObject(value) ? 'openapi' in value || 'swagger' in value : undefined
  const seen = !isObject(value)
    ? `the document is ${kindOf(value)}, not an object`
    : at === false
      ? 'it has no `openapi`'
      : 'swagger' in value
        ? `swagger: ${JSON.stringify(value['swagger'])}`
        : `openapi: ${JSON.stringify(value['openapi'])}`
  const found = isObject(value) ? /^3\.([01])\.\d+/.exec(String(value['openapi'])) : null
  if (found !== null) return found[1] === '0' ? '3.0' : '3.1'
  throw new VivariumError('CONTRACT_INVALID', {
    what: `“${name}” is not an OpenAPI document of version 3.0 or 3.1.`,
    seen,
    remedy:
      'Give a document with `openapi: 3.0.x` or `3.1.x`; there are converters for Swagger 2.0 (`swagger2openapi`).',
  })
}

function pathProblems(document: OpenApiDocument): VivariumError[] {
  const problems: VivariumError[] = []
  const { paths } = document.root
  if (!isObject(paths)) {
    return [document.invalid('/paths', `the paths are to be an object and are ${kindOf(paths)}`)]
  }
  const shapes = new Map<string, string>()
  for (const [path, item] of Object.entries(paths)) {
    if (path.startsWith('x-')) continue
    const pointer = pointerTo('/paths', path)
    if (!path.startsWith('/')) {
      problems.push(document.invalid(pointer, `the path ${JSON.stringify(path)} does not begin with a slash`))
    }
    const shape = path.replaceAll(/\{[^{}]*\}/g, '{}')
    const other = shapes.get(shape)
    shapes.set(shape, path)
    if (other !== undefined) {
      problems.push(document.invalid(pointer, `\`${path}\` and \`${other}\` are the same but for the names in braces`))
    }
    problems.push(...itemProblems(document, item, pointer))
  }
  return problems
}

function itemProblems(document: OpenApiDocument, item: unknown, at: string): VivariumError[] {
  try {
    const { node, pointer } = document.object(document.follow({ node: item, pointer: at }), 'a path item')
    return Object.entries(node)
      .filter(([key, operation]) => methods.includes(key) && !isObject(operation))
      .map(([key, operation]) =>
        document.invalid(pointerTo(pointer, key), `an operation is to be an object and is ${kindOf(operation)}`),
      )
  } catch (error) {
    // A reference that leads nowhere is found with the others.
    return error instanceof VivariumError && !isReference(item) ? [error] : []
  }
}

/** References that lead nowhere, anywhere in the document. Walked with a list: a document may be deep. */
function referenceProblems(document: OpenApiDocument, root: JsonObject): VivariumError[] {
  const problems: VivariumError[] = []
  const known = new Set<string>()
  const open: { node: unknown; pointer: string; names: boolean }[] = [{ node: root, pointer: '', names: false }]
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const { node, pointer, names } = place
    if (Array.isArray(node)) {
      node.forEach((item: unknown, index) => {
        if (typeof item === 'object') open.push({ node: item, pointer: `${pointer}/${index}`, names: false })
      })
      continue
    }
    if (!isObject(node)) continue
    const ref = node['$ref']
    if (!names && typeof ref === 'string' && !known.has(ref)) {
      try {
        document.follow({ node, pointer })
        known.add(ref)
      } catch (error) {
        if (error instanceof VivariumError) problems.push(error)
      }
    }
    for (const key in node) {
      const value = node[key]
      if (typeof value !== 'object' || value === null || (!names && (dataKeys.has(key) || key.startsWith('x-'))))
        continue
      open.push({ node: value, pointer: pointerTo(pointer, key), names: !names && nameMaps.has(key) })
    }
  }
  return problems.toReversed()
}

function isReference(item: unknown): boolean {
  return isObject(item) && typeof item['$ref'] === 'string'
}
