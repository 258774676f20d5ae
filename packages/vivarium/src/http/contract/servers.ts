import { VivariumError } from '../../core/errors.ts'
import type { JsonObject, OpenApiDocument } from './document.ts'
import { isObject, kindOf, objectIn } from './document.ts'
import { pointerTo } from './json-pointer.ts'

/** One base URL, as a pattern: `https://{region}.example.com/v1`. */
export interface BaseUrl {
  /** As it was written. */
  readonly text: string
  /** Matches the beginning of a URL, up to where a path of the document begins. */
  readonly pattern: RegExp
}

/** The document's base URLs: those it was opened with, else its servers. Throws where none is absolute. */
export function baseUrlsOf(document: OpenApiDocument, given: string | readonly string[] | undefined): BaseUrl[] {
  if (given !== undefined) {
    return (typeof given === 'string' ? [given] : given).map((text) => {
      if (URL.canParse(text)) return baseUrl(text.replaceAll('{', '%7B'), new Map())
      throw new VivariumError('CONFIG_INVALID', {
        what: `\`baseUrl\` of the contract “${document.name}” is not valid.`,
        seen: JSON.stringify(text),
        remedy: 'Give it an absolute URL: https://api.example.com/v1.',
      })
    })
  }
  const found = serversOf(document, document.root, '')
  if (found.length > 0) return found
  throw new VivariumError('CONTRACT_INVALID', {
    what: `The OpenAPI document “${document.name}” does not say where its service is.`,
    seen: 'servers' in document.root ? 'no server with an absolute URL' : 'no `servers`',
    remedy: 'Open it with `baseUrl`: openContract(document, { baseUrl: "https://api.example.com" }).',
  })
}

/** The absolute base URLs of a `servers` list, of the document, of a path or of an operation. */
export function serversOf(document: OpenApiDocument, holder: JsonObject, pointer: string): BaseUrl[] {
  const { servers } = holder
  if (servers === undefined) return []
  const at = pointerTo(pointer, 'servers')
  if (!Array.isArray(servers)) throw document.invalid(at, `servers are to be an array and are ${kindOf(servers)}`)
  return servers.flatMap((server: unknown, index) => {
    const url = isObject(server) ? server['url'] : undefined
    if (typeof url !== 'string') throw document.invalid(pointerTo(at, index), 'a server needs a `url`')
    // A relative one depends on where the document was fetched from, which a file does not know.
    if (!/^(https?|\{[^{}]+\}):\/\//i.test(url)) return []
    return [baseUrl(url, variablesOf(document, server as JsonObject, url, pointerTo(at, index)))]
  })
}

/** The base URL that a URL begins with: the longest. */
export function longestMatch(bases: readonly BaseUrl[], url: string): string | undefined {
  let best: string | undefined
  for (const { pattern } of bases) {
    const found = pattern.exec(url)?.[0]
    if (found !== undefined && (best === undefined || found.length > best.length)) best = found
  }
  return best
}

/** A URL as base URLs are compared with: no query, no fragment, its host in small letters, no default port. */
export function comparable(url: string): string | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  return parsed === undefined ? undefined : `${parsed.protocol}//${parsed.host}${parsed.pathname}`
}

function variablesOf(document: OpenApiDocument, server: JsonObject, url: string, at: string): Map<string, string> {
  const values = new Map<string, string>()
  for (const [, name = ''] of url.matchAll(/\{([^{}]+)\}/g)) {
    const variable = objectIn(server['variables'], name)
    if (variable === undefined)
      throw document.invalid(at, `the variable \`${name}\` of the server's URL is not described`)
    const allowed = variable['enum']
    values.set(name, Array.isArray(allowed) ? `(?:${allowed.map((one) => literal(String(one))).join('|')})` : '[^/]*?')
  }
  return values
}

function baseUrl(text: string, variables: ReadonlyMap<string, string>): BaseUrl {
  const trimmed = text.replace(/\/+$/, '')
  const shown = variables.size === 0 ? (comparable(trimmed) ?? trimmed).replace(/\/+$/, '') : trimmed
  const source = shown
    .split(/(\{[^{}]+\})/)
    .map((part) => variables.get(part.slice(1, -1)) ?? literal(part))
    .join('')
  return { text, pattern: new RegExp(`^${source}(?=/|$)`, variables.size === 0 ? '' : 'i') }
}

function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)
}
