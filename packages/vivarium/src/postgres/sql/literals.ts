const utf8 = new TextDecoder()
const simpleEscapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/** Folds as the server does in multi-byte encodings: ASCII letters only. */
export function foldIdentifier(word: string): string {
  // oxlint-disable-next-line no-control-regex
  return /^[\x00-\x7f]*$/.test(word) ? word.toLowerCase() : word.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

/** Cuts an identifier to the 63 bytes that the server keeps, at a character's boundary. */
export function truncateIdentifier(name: string): string {
  if (name.length <= 21 || Buffer.byteLength(name) <= 63) return name
  let bytes = 0
  let end = 0
  for (const character of name) {
    bytes += Buffer.byteLength(character)
    if (bytes > 63) break
    end += character.length
  }
  return name.slice(0, end)
}

/** The content of a string constant in any notation, from its raw text; bit strings keep their digits. */
export function decodeString(raw: string): string {
  const first = raw.charCodeAt(0)
  if (first === 36 /* $ */) {
    const tagLength = raw.indexOf('$', 1) + 1
    return raw.slice(tagLength, raw.length - tagLength)
  }
  if (first === 39 /* ' */) {
    const inner = raw.slice(1, -1)
    return inner.includes("'") ? joinSegments(raw, 0, false) : inner
  }
  const prefix = raw[0]?.toLowerCase()
  if (prefix === 'e') return decodeBackslashes(joinSegments(raw, 1, true))
  if (prefix === 'u') return decodeUnicode(raw, "'")
  return joinSegments(raw, 1, false)
}

/** The name inside a quoted identifier (`"…"` or `U&"…"`), from its raw text, not truncated. */
export function decodeQuotedIdentifier(raw: string): string {
  if (raw.charCodeAt(0) !== 34 /* " */) return decodeUnicode(raw, '"')
  const inner = raw.slice(1, -1)
  return inner.includes('"') ? inner.replaceAll('""', '"') : inner
}

/** Undoes doubled quotes and joins the parts of a constant that goes on after a line break. */
function joinSegments(raw: string, from: number, backslashes: boolean): string {
  let content = ''
  let at = from + 1
  let segment = at
  while (at < raw.length) {
    const code = raw.charCodeAt(at)
    if (backslashes && code === 92 /* \ */) {
      at += 2
    } else if (code !== 39 /* ' */) {
      at++
    } else if (raw.charCodeAt(at + 1) === 39) {
      // Within E'…' the doubled quote becomes an escaped one, so that a backslash before it keeps its meaning.
      content += raw.slice(segment, at) + (backslashes ? "\\'" : "'")
      at += 2
      segment = at
    } else {
      content += raw.slice(segment, at)
      at = afterContinuation(raw, at + 1)
      if (at === -1) return content
      segment = at
    }
  }
  return content
}

/**
 * Where a string constant goes on after its closing quote: white space with a line break in it (and `--` comments),
 * then another quote. The offset behind that quote, or -1.
 */
export function afterContinuation(text: string, from: number): number {
  let sawLineBreak = false
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 10 || code === 13) sawLineBreak = true
    else if (code === 45 /* - */ && text.charCodeAt(at + 1) === 45) {
      while (at + 1 < text.length && text.charCodeAt(at + 1) !== 10 && text.charCodeAt(at + 1) !== 13) at++
    } else if (code === 39 /* ' */) return sawLineBreak ? at + 1 : -1
    else if (code !== 32 && code !== 9 && code !== 11 && code !== 12) return -1
  }
  return -1
}

const backslashEscape = /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{1,2})|([0-7]{1,3})|([^]))/g

function decodeBackslashes(content: string): string {
  if (!content.includes('\\')) return content
  // \x and octal escapes name bytes, which together form UTF-8 characters.
  if (!/\\(?:x[0-9a-fA-F]|[0-7])/.test(content)) return content.replace(backslashEscape, decodeOneEscape)
  const parts: Buffer[] = []
  let last = 0
  for (const match of content.matchAll(backslashEscape)) {
    parts.push(Buffer.from(content.slice(last, match.index)))
    const byte = match[3] ? Number.parseInt(match[3], 16) : match[4] ? Number.parseInt(match[4], 8) & 255 : undefined
    parts.push(
      byte === undefined
        ? Buffer.from(decodeOneEscape(match[0], match[1], match[2], undefined, undefined, match[5]))
        : Buffer.of(byte),
    )
    last = match.index + match[0].length
  }
  parts.push(Buffer.from(content.slice(last)))
  return utf8.decode(Buffer.concat(parts))
}

function decodeOneEscape(all: string, short?: string, long?: string, _x?: string, _o?: string, other?: string): string {
  const digits = short ?? long
  if (digits !== undefined) return fromCodePoint(digits)
  return other === undefined ? all : (simpleEscapes[other] ?? other)
}

function fromCodePoint(digits: string): string {
  const code = Number.parseInt(digits, 16)
  // A code unit of a surrogate pair joins its other half in the JavaScript string, as on the server.
  return code <= 0xffff ? String.fromCharCode(code) : code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd'
}

/** What is between the quotes of a `U&` literal, and the escape character that it names. */
function unicodeParts(raw: string, quote: string): { inner: string; escape: string } {
  const clause = /uescape(?:\s|--[^\n\r]*|\/\*[^]*\*\/)*[eE]?'([^])'$/i.exec(raw)
  const end = raw.lastIndexOf(quote, clause === null ? raw.length : clause.index)
  const inner = quote === '"' ? raw.slice(3, end).replaceAll('""', '"') : joinSegments(raw.slice(0, end + 1), 2, false)
  return { inner, escape: clause?.[1] ?? '\\' }
}

/** Every escape in it, and whatever stands behind an escape character that is none. */
function unicodeEscapes(escape: string): RegExp {
  const literally = escape.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&')
  return new RegExp(`${literally}(?:([0-9a-fA-F]{4})|\\+([0-9a-fA-F]{6})|(${literally})|)`, 'g')
}

function decodeUnicode(raw: string, quote: string): string {
  const { inner, escape } = unicodeParts(raw, quote)
  return inner.replace(unicodeEscapes(escape), (_all, short?: string, long?: string) =>
    short === undefined && long === undefined ? escape : fromCodePoint((short ?? long) as string),
  )
}

/** Whether the server can read the escapes of a `U&` literal (parser.c, str_udeescape): else it refuses the whole text. */
export function hasUnicodeEscapes(raw: string, quote: string): boolean {
  const { inner, escape } = unicodeParts(raw, quote)
  if (/[0-9a-fA-F+'"\s]/.test(escape)) return false
  let text = ''
  for (const [, short, long, doubled] of inner.matchAll(unicodeEscapes(escape))) {
    if (short === undefined && long === undefined && doubled === undefined) return false
    const code = Number.parseInt(short ?? long ?? '20', 16)
    if (code === 0 || code > 0x10ffff) return false
    text += fromCodePoint(short ?? long ?? '20')
  }
  return !/\p{Surrogate}/u.test(text)
}
