import { VivariumError } from '../../core/errors.ts'
import { contractFor } from './contract.ts'
import { isObject, kindOf } from './document.ts'
import type { JsonObject } from './document.ts'
import type { Contract, ContractRequest, ContractResponse, Violation } from './types.ts'

/** A violation in recorded traffic. */
export interface HarViolation extends Violation {
  /** Which of the recording's entries, from 0. */
  readonly entry: number
  readonly method: string
  readonly url: string
}

/**
 * Checks recorded traffic (a HAR file, parsed) against one document or several, each entry against the one that covers its URL;
 * entries that none covers are somebody else's. Bodies that the recording leaves out are not checked. Throws
 * `RECORDING_INVALID` for something that is no HAR file.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { expect, test } from 'vitest'
 * import { checkHar, openContract, renderViolations } from 'vivarium/http'
 *
 * test('what was recorded in production is what the document says', async () => {
 *   const contract = await openContract('./stripe.yaml')
 *   const recorded: unknown = JSON.parse(await readFile('./recorded.har', 'utf8'))
 *   expect(renderViolations(checkHar(contract, recorded))).toBe('')
 * })
 * ```
 */
export function checkHar(contracts: Contract | readonly Contract[], har: unknown): readonly HarViolation[] {
  const all = 'checkRequest' in contracts ? [contracts] : contracts
  return entriesOf(har).flatMap((value, entry) => {
    const at = `log.entries[${entry}]`
    const recorded = objectAt(objectAt(value, at)['request'], `${at}.request`)
    const request = requestOf(recorded, `${at}.request`)
    const contract = contractFor(all, request.url)
    if (contract === undefined) return []
    const { method, url } = request
    const response = responseOf(objectAt((value as JsonObject)['response'], `${at}.response`))
    const found = [...contract.checkRequest(request).violations]
    // A request that was never answered is recorded with status 0.
    if (response.status !== 0) found.push(...contract.checkResponse(request, response))
    return found.map((violation) => ({ ...violation, entry, method, url }))
  })
}

function entriesOf(har: unknown): readonly unknown[] {
  const { entries } = objectAt(objectAt(har, 'the recording')['log'], 'log')
  if (Array.isArray(entries)) return entries
  throw invalid('log.entries', entries, 'an array')
}

function requestOf(recorded: JsonObject, at: string): ContractRequest {
  const { method, url } = recorded
  if (typeof method !== 'string') throw invalid(`${at}.method`, method, 'a text')
  if (typeof url !== 'string') throw invalid(`${at}.url`, url, 'a text')
  const post = isObject(recorded['postData']) ? recorded['postData'] : undefined
  const text = post?.['text']
  const pairs = headersOf(recorded)
  const mimeType = post?.['mimeType']
  const hasType = pairs.some(([name]) => name.toLowerCase() === 'content-type')
  const headers: [string, string][] =
    typeof mimeType === 'string' && mimeType !== '' && !hasType ? [...pairs, ['content-type', mimeType]] : pairs
  const hasText = typeof text === 'string' && text !== ''
  const body = hasText ? bytesOf(text, post?.['encoding']) : formOf(post)
  const isSent = sizeOf(recorded['bodySize']) > 0 || Array.isArray(post?.['params'])
  return { method, url, headers, body, bodyMissing: body === undefined && isSent }
}

function responseOf(recorded: JsonObject): ContractResponse {
  const content = isObject(recorded['content']) ? recorded['content'] : {}
  const { text } = content
  const body = typeof text === 'string' && text !== '' ? bytesOf(text, content['encoding']) : undefined
  const size = Math.max(sizeOf(content['size']), sizeOf(recorded['bodySize']))
  return {
    status: Number(recorded['status']),
    headers: headersOf(recorded),
    body,
    bodyMissing: body === undefined && size > 0,
  }
}

/** The fields of a form that was recorded as fields, not as text; of a multipart one nothing can be rebuilt. */
function formOf(post: JsonObject | undefined): Uint8Array | undefined {
  const params = post?.['params']
  if (!Array.isArray(params) || params.length === 0) return undefined
  if (!String(post?.['mimeType']).startsWith('application/x-www-form-urlencoded')) return undefined
  const pairs = params
    .filter(isObject)
    .map((param): [string, string] => [String(param['name']), typeof param['value'] === 'string' ? param['value'] : ''])
  return Buffer.from(new URLSearchParams(pairs).toString())
}

function headersOf(recorded: JsonObject): [string, string][] {
  const { headers } = recorded
  const list = Array.isArray(headers) ? headers.filter(isObject) : []
  // Recordings of HTTP/2 have pseudo-headers, `:authority` and the like.
  return list
    .map((header): [string, string] => [String(header['name']), String(header['value'])])
    .filter(([name]) => !name.startsWith(':'))
}

function bytesOf(text: string, encoding: unknown): Uint8Array {
  return Buffer.from(text, encoding === 'base64' ? 'base64' : 'utf8')
}

function sizeOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

function objectAt(value: unknown, at: string): JsonObject {
  if (isObject(value)) return value
  throw invalid(at, value, 'an object')
}

function invalid(at: string, value: unknown, wanted: string): VivariumError {
  return new VivariumError('RECORDING_INVALID', {
    what: 'The recorded traffic is not a HAR file.',
    seen: `${at} is ${kindOf(value)}`,
    remedy: `Give it ${wanted}; browsers and proxies export such files (HTTP Archive 1.2).`,
  })
}
