const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\u0007' }

/**
 * Splits a line as a server does: blanks separate, "…" has escapes, '…' only \'. `undefined` when quotes are not balanced, or
 * something follows a closing quote at once.
 */
export function splitInline(line: Buffer): Buffer[] | undefined {
  // Latin-1: each byte is one character, whatever it means.
  const text = line.toString('latin1')
  const words: Buffer[] = []
  let at = 0
  for (;;) {
    while (at < text.length && isBlank(text[at]!)) at++
    if (at >= text.length) return words
    let word = ''
    while (at < text.length && !isBlank(text[at]!)) {
      const quote = text[at]!
      if (quote !== '"' && quote !== "'") {
        word += text[at++]!
        continue
      }
      const quoted = quote === '"' ? readDouble(text, at + 1) : readSingle(text, at + 1)
      if (quoted === undefined || (quoted.end < text.length && !isBlank(text[quoted.end]!))) return undefined
      word += quoted.word
      at = quoted.end
    }
    words.push(Buffer.from(word, 'latin1'))
  }
}

interface Quoted {
  readonly word: string
  /** Behind the closing quote. */
  readonly end: number
}

function readDouble(text: string, from: number): Quoted | undefined {
  let word = ''
  for (let at = from; at < text.length; at++) {
    const character = text[at]!
    if (character === '"') return { word, end: at + 1 }
    if (character !== '\\' || at + 1 >= text.length) {
      word += character
      continue
    }
    const hex = /^x([0-9a-fA-F]{2})/.exec(text.slice(at + 1, at + 4))?.[1]
    word +=
      hex === undefined ? (escapes[text[at + 1]!] ?? text[at + 1]!) : String.fromCharCode(Number.parseInt(hex, 16))
    at += hex === undefined ? 1 : 3
  }
  return undefined
}

function readSingle(text: string, from: number): Quoted | undefined {
  let word = ''
  for (let at = from; at < text.length; at++) {
    if (text[at] === "'") return { word, end: at + 1 }
    if (text[at] === '\\' && text[at + 1] === "'") at++
    word += text[at]!
  }
  return undefined
}

function isBlank(character: string): boolean {
  // What C's isspace takes for one; a null byte ends a server's line.
  return character === ' ' || (character >= '\t' && character <= '\r') || character === '\0'
}
