import { parseMediaType } from './media-types.ts'
import type { MediaType } from './media-types.ts'

/** One part of a multipart body. */
export interface MultipartPart {
  readonly name: string
  /** Given for files. */
  readonly filename: string | undefined
  readonly type: MediaType | undefined
  readonly bytes: Uint8Array
}

/** Takes a multipart body apart (RFC 7578); a text says why it cannot be. */
export function parseMultipart(body: Uint8Array, boundary: string | undefined): MultipartPart[] | string {
  if (boundary === undefined || boundary === '') return 'its Content-Type names no boundary'
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const parts: MultipartPart[] = []
  const delimiter = `--${boundary}`
  let at = bytes.indexOf(delimiter)
  if (at === -1) return `its boundary, ${boundary}, does not occur in it`
  for (;;) {
    at += delimiter.length
    if (bytes.subarray(at, at + 2).toString('latin1') === '--') return parts
    const start = bytes.indexOf('\r\n', at)
    const end = start === -1 ? -1 : bytes.indexOf(`\r\n${delimiter}`, start)
    if (end === -1) return 'it ends within a part'
    const part = parsePart(bytes.subarray(start + 2, end))
    if (typeof part === 'string') return part
    parts.push(part)
    at = end + 2
  }
}

function parsePart(bytes: Buffer): MultipartPart | string {
  const split = bytes.indexOf('\r\n\r\n')
  if (split === -1) return 'a part has no end of its headers'
  const headers = new Map<string, string>()
  for (const line of bytes.subarray(0, split).toString('utf8').split('\r\n')) {
    const colon = line.indexOf(':')
    headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
  }
  const disposition = headers.get('content-disposition') ?? ''
  const name = dispositionValue(disposition, 'name')
  if (name === undefined) return 'a part has no name'
  return {
    name,
    filename: dispositionValue(disposition, 'filename') ?? dispositionValue(disposition, 'filename\\*'),
    type: parseMediaType(headers.get('content-type') ?? ''),
    bytes: bytes.subarray(split + 4),
  }
}

function dispositionValue(disposition: string, name: string): string | undefined {
  const match = new RegExp(`;\\s*${name}\\s*=\\s*(?:"([^"]*)"|([^;\\s]*))`, 'i').exec(disposition)
  // Browsers and fetch write the three characters that a header cannot hold percent-encoded.
  return (match?.[1] ?? match?.[2])?.replaceAll('%22', '"').replaceAll('%0D', '\r').replaceAll('%0A', '\n')
}
