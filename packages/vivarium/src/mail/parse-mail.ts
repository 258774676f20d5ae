import type { MailAddress, MailAttachment, ObservedMail } from '../core/interactions.ts'
import { findLinks } from './find-links.ts'
import type { ParsedMail, simpleParser } from './libraries.ts'
import type { MailContent } from './mailbox.ts'

type Addresses = ParsedMail['to']
type Envelope = ObservedMail['envelope']

/**
 * Reads a message. What does not follow the rules of MIME is read as far as possible; where nothing can be read, the
 * envelope, the bytes and the reason are there.
 */
export async function parseMail(raw: Uint8Array, envelope: Envelope, parse: typeof simpleParser): Promise<MailContent> {
  let parsed: ParsedMail | undefined
  let parseError: string | undefined
  try {
    // As it was sent: no text made of HTML and no HTML made of text, no image written into the HTML.
    parsed = await parse(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength), {
      skipHtmlToText: true,
      skipTextToHtml: true,
      skipTextLinks: true,
      skipImageLinks: true,
      checksumAlgo: false,
    })
  } catch (error) {
    parseError = error instanceof Error ? error.message : String(error)
  }
  const to = addressesOf(parsed?.to)
  const cc = addressesOf(parsed?.cc)
  const text = parsed?.text
  const html = parsed?.html === false ? undefined : parsed?.html
  const named = [...to, ...cc].map(({ address }) => address.toLowerCase())
  const bcc = envelope.to.filter((address) => !named.includes(address.toLowerCase()))
  return {
    from: addressesOf(parsed?.from)[0],
    to,
    cc,
    bcc: bcc.map((address) => ({ name: undefined, address })),
    replyTo: addressesOf(parsed?.replyTo),
    subject: parsed?.subject ?? '',
    text,
    html,
    headers: parsed === undefined ? {} : headersOf(parsed),
    attachments: (parsed?.attachments ?? []).map(toAttachment),
    envelope,
    links: findLinks(text, html),
    raw,
    parseError,
  }
}

function addressesOf(given: Addresses): readonly MailAddress[] {
  const headers = given === undefined ? [] : [given].flat()
  return headers
    .flatMap(({ value }) => value.flatMap((one) => one.group ?? [one]))
    .flatMap(({ name, address }) => (address ? [{ name: name || undefined, address }] : []))
}

function toAttachment(part: ParsedMail['attachments'][number]): MailAttachment {
  return {
    name: part.filename || undefined,
    type: part.contentType,
    content: part.content,
    cid: part.cid || undefined,
    inline: part.contentDisposition === 'inline' || part.related === true,
  }
}

function headersOf({ headers, headerLines }: ParsedMail): Readonly<Record<string, string>> {
  const found = new Map<string, string[]>()
  for (const { key, line } of headerLines) {
    const decoded: unknown = headers.get(key)
    const unfolded = line
      .slice(line.indexOf(':') + 1)
      .replaceAll(/\r?\n[ \t]/g, ' ')
      .trim()
    const known = found.get(key) ?? []
    // The parser has decoded what is plain text; what has a structure stands as it came.
    known.push(typeof decoded === 'string' && known.length === 0 ? decodeWords(decoded) : unfolded)
    found.set(key, known)
  }
  return Object.fromEntries([...found].map(([key, values]) => [key, values.join('\n')]))
}

/** Encoded words (RFC 2047), which the parser decodes only in the headers that it knows. */
function decodeWords(text: string): string {
  return text
    .replaceAll(/(=\?[^?\s]+\?[BQ]\?[^?\s]*\?=)\s+(?==\?[^?\s]+\?[BQ]\?)/gi, '$1')
    .replaceAll(/=\?([^?*\s]+)(?:\*[^?\s]*)?\?([BQ])\?([^?\s]*)\?=/gi, (whole, charset, encoding, content) => {
      const word = String(content)
      const bytes =
        String(encoding).toUpperCase() === 'B'
          ? Buffer.from(word, 'base64')
          : Buffer.from(
              word
                .replaceAll('_', ' ')
                .replaceAll(/=([\dA-F]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
              'latin1',
            )
      try {
        return new TextDecoder(String(charset)).decode(bytes)
      } catch {
        // A character set that nobody knows: as it came.
        return whole
      }
    })
}
