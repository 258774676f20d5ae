import { VivariumError } from '../../core/errors.ts'
import { methods } from './check-document.ts'
import { isObject } from './document.ts'
import type { JsonObject, OpenApiDocument, Place } from './document.ts'
import { makeExample } from './example-response.ts'
import { pointerTo, valueAt } from './json-pointer.ts'
import { MessageHeaders } from './message-headers.ts'
import { Operation } from './operation.ts'
import { PathIndex } from './path-index.ts'
import type { PathMatch } from './path-index.ts'
import { renderViolations } from './render-violations.ts'
import { listed } from './rule-messages.ts'
import type { SchemaUnits } from './schema-units.ts'
import { comparable, longestMatch, serversOf } from './servers.ts'
import type { BaseUrl } from './servers.ts'
import type { Contract, ContractCheck, ContractRequest, ContractResponse, Violation } from './types.ts'

/** Paths below the same base URLs. */
interface PathGroup {
  readonly bases: readonly BaseUrl[]
  readonly index: PathIndex
  /** The methods of a path that have these base URLs. */
  readonly methodsOf: Map<string, string[]>
}

/** A request's path, found in the document. */
interface Found extends PathMatch {
  readonly group: PathGroup
  readonly query: string
}

/** A document that checks. Operations are read when they are first used. */
export class OpenedContract implements Contract {
  readonly name: string
  readonly #document: OpenApiDocument
  readonly #units: SchemaUnits
  readonly #groups: readonly PathGroup[]
  readonly #operations: Map<string, Operation> = new Map()

  constructor(document: OpenApiDocument, bases: readonly BaseUrl[], units: SchemaUnits) {
    this.name = document.name
    this.#document = document
    this.#units = units
    this.#groups = groupPaths(document, bases)
  }

  covers(url: string): boolean {
    return this.reach(url) !== undefined
  }

  reach(url: string): number | undefined {
    const compared = comparable(url)
    if (compared === undefined) return undefined
    return longestMatch(
      this.#groups.flatMap((group) => group.bases),
      compared,
    )?.length
  }

  checkRequest(request: ContractRequest): ContractCheck {
    const method = request.method.toUpperCase()
    const found = this.#find(request.url, method)
    if ('violation' in found) return { operation: undefined, violations: [found.violation] }
    const operation = this.#operation(found.path, method)
    if (operation === undefined) return { operation: undefined, violations: [this.#noMethod(found, method)] }
    const violations = operation.checkRequest({
      values: found.values,
      query: found.query,
      headers: new MessageHeaders(request.headers),
      body: { bytes: request.body, missing: request.bodyMissing === true },
    })
    return { operation: operation.ref, violations }
  }

  checkResponse(request: ContractRequest, response: ContractResponse): readonly Violation[] {
    const operation = this.#operationOf(request)
    const body = { bytes: response.body, missing: response.bodyMissing === true }
    return operation?.checkResponse(response.status, new MessageHeaders(response.headers), body) ?? []
  }

  exampleResponse(request: ContractRequest, status?: number): ContractResponse {
    const operation = this.#operationOf(request)
    if (operation === undefined) {
      throw new VivariumError('CONTRACT_NO_EXAMPLE', {
        what: `“${this.name}” describes no response to ${request.method.toUpperCase()} ${request.url}.`,
        seen: renderViolations(this.checkRequest(request).violations),
        remedy: 'Correct the request, or answer yourself.',
      })
    }
    return makeExample(this.#document, this.#units, { operation, headers: new MessageHeaders(request.headers), status })
  }

  #operationOf(request: ContractRequest): Operation | undefined {
    const method = request.method.toUpperCase()
    const found = this.#find(request.url, method)
    return 'violation' in found ? undefined : this.#operation(found.path, method)
  }

  /** The most specific path among the groups whose base URL the URL begins with. */
  #find(url: string, method: string): Found | { violation: Violation } {
    const compared = comparable(url) ?? url
    const query = URL.canParse(url) ? new URL(url).search.slice(1) : ''
    let other: Found | undefined
    let rest: string | undefined
    for (const group of this.#groups) {
      const base = longestMatch(group.bases, compared)
      if (base === undefined) continue
      rest = compared.slice(base.length)
      const match = group.index.find(rest === '' ? '/' : rest)
      if (match === undefined) continue
      const found = { ...match, group, query }
      if (group.methodsOf.get(match.path)?.includes(method) === true) return found
      other ??= found
    }
    if (other !== undefined) return other
    return { violation: rest === undefined ? this.#elsewhere(url) : this.#noPath(rest) }
  }

  #operation(path: string, method: string): Operation | undefined {
    const key = `${method} ${path}`
    const known = this.#operations.get(key)
    if (known !== undefined) return known
    const item = this.#item(path)
    const name = method.toLowerCase()
    const node = methods.includes(name) ? item.node[name] : undefined
    if (!isObject(node)) return undefined
    const pointer = pointerTo(item.pointer, name)
    const operationId = typeof node['operationId'] === 'string' ? node['operationId'] : undefined
    const ref = { contract: this.name, method, path, operationId, pointer }
    const operation = new Operation(this.#document, ref, item, { node, pointer }, this.#units)
    this.#operations.set(key, operation)
    return operation
  }

  #item(path: string): Place<JsonObject> {
    const pointer = pointerTo('/paths', path)
    const node = valueAt(this.#document.root, pointer)
    return this.#document.object(this.#document.follow({ node, pointer }), 'a path item')
  }

  #elsewhere(url: string): Violation {
    const bases = [...new Set(this.#groups.flatMap((group) => group.bases.map((base) => base.text)))]
    const message = `is not below ${listed(bases)}; \`openContract\` takes another \`baseUrl\``
    return { side: 'request', part: 'path', pointer: '', rule: 'servers', ruleAt: '/servers', value: url, message }
  }

  #noPath(path: string): Violation {
    const [nearest] = this.#groups.flatMap((group) => group.index.nearest(path) ?? [])
    const message = `is not known to the document${nearest === undefined ? '' : `; did you mean \`${nearest}\`?`}`
    return { side: 'request', part: 'path', pointer: '', rule: 'paths', ruleAt: '/paths', value: path, message }
  }

  #noMethod({ path, group }: Found, method: string): Violation {
    const item = this.#item(path)
    const message = `\`${path}\` has ${listed(group.methodsOf.get(path) ?? [])} only`
    const place = { pointer: '', rule: 'paths', ruleAt: item.pointer, value: method }
    return { side: 'request', part: 'method', ...place, message }
  }
}

/** Of several contracts the one that covers a URL; by the longest base URL where several do. */
export function contractFor(contracts: readonly Contract[], url: string): Contract | undefined {
  let best: { contract: Contract; reach: number } | undefined
  for (const contract of contracts) {
    const reach = contract.reach(url)
    if (reach !== undefined && (best === undefined || reach > best.reach)) best = { contract, reach }
  }
  return best?.contract
}

/** The document's paths, those with servers of their own apart. */
function groupPaths(document: OpenApiDocument, bases: readonly BaseUrl[]): PathGroup[] {
  const usual: PathGroup = { bases, index: new PathIndex(), methodsOf: new Map() }
  const others = new Map<string, PathGroup>()
  const add = (group: PathGroup, path: string, method: string): void => {
    const known = group.methodsOf.get(path)
    if (known === undefined) group.index.add(path)
    group.methodsOf.set(path, [...(known ?? []), method.toUpperCase()])
  }
  for (const [path, value] of Object.entries(document.root['paths'] as JsonObject)) {
    if (!path.startsWith('/')) continue
    const { node, pointer } = document.follow({ node: value, pointer: pointerTo('/paths', path) })
    if (!isObject(node)) continue
    const ofPath = serversOf(document, node, pointer)
    for (const method of methods) {
      const operation = node[method]
      if (!isObject(operation)) continue
      const own = serversOf(document, operation, pointerTo(pointer, method))
      const apart = own.length > 0 ? own : ofPath
      if (apart.length === 0) {
        add(usual, path, method)
        continue
      }
      const key = apart.map((base) => base.pattern.source).join(' ')
      const group = others.get(key) ?? { bases: apart, index: new PathIndex(), methodsOf: new Map() }
      others.set(key, group)
      add(group, path, method)
    }
  }
  return [...others.values(), usual]
}
