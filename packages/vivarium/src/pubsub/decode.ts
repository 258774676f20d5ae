/** How a text that came over a wire becomes a payload: it stays a text, or a function makes something of it. */
export type Decode = 'text' | ((text: string) => unknown)

/** What came over a wire, read. */
export interface DecodedData {
  /** `undefined` for bytes that are no UTF-8. */
  readonly text: string | undefined
  readonly payload: unknown
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads what came: by `decode`, else as JSON where the text is an object or an array in JSON. Everything else stays the text
 * that it is, so that `42` and `true` are not taken for more than they may be. Bytes that are no text stay bytes.
 */
export function decodeData(data: string | Uint8Array, decode: Decode | undefined): DecodedData {
  const text = typeof data === 'string' ? data : textOf(data)
  if (text === undefined) return { text, payload: data }
  if (decode === 'text') return { text, payload: text }
  return { text, payload: decode === undefined ? jsonOrText(text) : decode(text) }
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

function jsonOrText(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
