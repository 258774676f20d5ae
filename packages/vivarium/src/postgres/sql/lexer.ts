import { characterClass, isDigit, isIdentifierPart, isIdentifierStart, isOperator, isSpace } from './characters.ts'
import {
  afterContinuation,
  decodeQuotedIdentifier,
  decodeString,
  foldIdentifier,
  hasUnicodeEscapes,
} from './literals.ts'

/** What a token is; `unterminated` is a string, quoted identifier or comment without its end, and holds the rest. */
export type TokenKind =
  | 'word'
  | 'quotedIdentifier'
  | 'string'
  | 'parameter'
  | 'number'
  | 'operator'
  | 'punctuation'
  | 'unterminated'

/** One token of PostgreSQL's lexical structure; offsets are those of the JavaScript string. */
export interface Token {
  kind: TokenKind
  /** As written. */
  text: string
  /** Words: folded to lower case. Quoted identifiers: the name. Strings: the content. Others: as written. */
  value: string
  start: number
  end: number
}

/** All tokens of a text; white space and comments are left out. */
export function tokenize(text: string): Token[] {
  const lexer = new Lexer(text)
  const tokens: Token[] = []
  while (lexer.next()) tokens.push(lexer.token())
  return tokens
}

const quote = 39
const doubleQuote = 34
const numberPattern =
  /(?:0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:\d(?:_?\d)*(?:\.(?!\.)(?:\d(?:_?\d)*)?)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?)/y

/**
 * Walks over a text token by token without allocating any, so that long statements can be skipped cheaply.
 * Follows scan.l of PostgreSQL 18 with standard_conforming_strings on.
 */
export class Lexer {
  readonly text: string
  kind: TokenKind = 'unterminated'
  start = 0
  end = 0

  constructor(text: string) {
    this.text = text
  }

  /** Moves to the next token; false at the end of the text. */
  next(): boolean {
    const { text } = this
    const at = skipBlank(text, this.end)
    if (at < 0) return this.#found('unterminated', -1 - at, text.length)
    if (at >= text.length) {
      this.start = this.end = text.length
      return false
    }
    const code = text.charCodeAt(at)
    return this.#scan(at, code, characterClass(code))
  }

  /** The current token as written. */
  raw(): string {
    return this.text.slice(this.start, this.end)
  }

  /** The current token's value (see {@link Token.value}). */
  value(): string {
    const raw = this.raw()
    if (this.kind === 'word') return foldIdentifier(raw)
    if (this.kind === 'string') return decodeString(raw)
    return this.kind === 'quotedIdentifier' ? decodeQuotedIdentifier(raw) : raw
  }

  /** The current token as an object. */
  token(): Token {
    return { kind: this.kind, text: this.raw(), value: this.value(), start: this.start, end: this.end }
  }

  #found(kind: TokenKind, start: number, end: number): true {
    this.kind = kind
    this.start = start
    this.end = end
    return true
  }

  #scan(at: number, code: number, type: number): true {
    const { text } = this
    if (type & isIdentifierStart) {
      const following = text.charCodeAt(at + 1)
      if (following === quote || following === 38) {
        const prefixed = this.#prefixedLiteral(at, code | 32, following)
        if (prefixed) return true
      }
      return this.#found('word', at, endOfIdentifier(text, at + 1))
    }
    if (type === isDigit) return this.#number(at)
    if (type === isOperator) return this.#found('operator', at, endOfOperator(text, at))
    switch (code) {
      case quote:
        return this.#string(at, at + 1, 'quotes')
      case doubleQuote:
        return this.#quotedIdentifier(at, at + 1)
      case 36 /* $ */:
        return this.#dollar(at)
      case 46 /* . */:
        if (text.charCodeAt(at + 1) === 46) return this.#found('operator', at, at + 2)
        if (characterClass(text.charCodeAt(at + 1)) === isDigit) return this.#number(at)
        break
      case 58 /* : */: {
        const following = text.charCodeAt(at + 1)
        if (following === 58 || following === 61) return this.#found('operator', at, at + 2)
      }
    }
    return this.#found('punctuation', at, at + 1)
  }

  #prefixedLiteral(at: number, letter: number, following: number): boolean {
    if (following === quote) {
      if (letter === 101 /* e */) return this.#string(at, at + 2, 'backslashes')
      if (letter === 98 /* b */ || letter === 120 /* x */) return this.#string(at, at + 2, 'bits')
      return letter === 110 /* n */ && this.#string(at, at + 2, 'quotes')
    }
    if (letter !== 117 /* u */) return false
    const { text } = this
    const opening = text.charCodeAt(at + 2)
    if (opening === quote) this.#string(at, at + 3, 'quotes')
    else if (opening === doubleQuote) this.#quotedIdentifier(at, at + 3)
    else return false
    if (this.kind === 'unterminated') return true
    this.#absorbEscapeClause()
    if (hasUnicodeEscapes(this.raw(), text[at + 2] as string)) return true
    // The server refuses the text as a whole: nothing in it is to be read.
    return this.#found('unterminated', at, text.length)
  }

  /** `U&"d!0061" UESCAPE '!'` is one token to the server's grammar (parser.c, base_yylex). */
  #absorbEscapeClause(): void {
    const { text, kind, start, end } = this
    const clause = skipBlank(text, end)
    if (clause < 0 || text.slice(clause, clause + 7).toLowerCase() !== 'uescape') return
    const escape = skipBlank(text, clause + 7)
    const opening = text.charCodeAt(escape) === quote ? escape + 1 : escape + 2
    if (escape < 0 || !/^[eE]?'/.test(text.slice(escape, escape + 2))) return
    this.#string(escape, opening, opening === escape + 1 ? 'quotes' : 'backslashes')
    if (this.kind === 'string') this.#found(kind, start, this.end)
    else this.#found(kind, start, end)
  }

  #string(start: number, content: number, rule: 'quotes' | 'backslashes' | 'bits'): true {
    const { text } = this
    let at = content
    for (;;) {
      at = rule === 'backslashes' ? nextQuoteOutsideEscapes(text, at) : text.indexOf("'", at)
      if (at === -1) return this.#found('unterminated', start, text.length)
      if (rule !== 'bits' && text.charCodeAt(at + 1) === quote) {
        at += 2
        continue
      }
      const more = afterContinuation(text, at + 1)
      if (more === -1) return this.#found('string', start, at + 1)
      at = more
    }
  }

  #quotedIdentifier(start: number, content: number): true {
    const { text } = this
    let at = content
    for (;;) {
      at = text.indexOf('"', at)
      if (at === -1) return this.#found('unterminated', start, text.length)
      if (text.charCodeAt(at + 1) !== doubleQuote) return this.#found('quotedIdentifier', start, at + 1)
      at += 2
    }
  }

  #dollar(at: number): true {
    const { text } = this
    let end = at + 1
    if (characterClass(text.charCodeAt(end)) === isDigit) {
      while (characterClass(text.charCodeAt(end)) === isDigit) end++
      return this.#found('parameter', at, end)
    }
    while (characterClass(text.charCodeAt(end)) & (isIdentifierStart | isDigit)) end++
    if (text.charCodeAt(end) !== 36 /* $ */) return this.#found('punctuation', at, at + 1)
    const tag = text.slice(at, end + 1)
    const closing = text.indexOf(tag, end + 1)
    if (closing === -1) return this.#found('unterminated', at, text.length)
    return this.#found('string', at, closing + tag.length)
  }

  #number(at: number): true {
    const { text } = this
    let end = at
    while (characterClass(text.charCodeAt(end)) === isDigit) end++
    const following = text.charCodeAt(end)
    if (following === 46 || characterClass(following) & isIdentifierStart) {
      numberPattern.lastIndex = at
      numberPattern.test(text)
      end = Math.max(numberPattern.lastIndex, end)
    }
    return this.#found('number', at, end)
  }
}

/** The offset behind white space and comments; when a comment does not end, -1 minus the offset where it starts. */
function skipBlank(text: string, from: number): number {
  let at = from
  for (;;) {
    const code = text.charCodeAt(at)
    if (characterClass(code) === isSpace) {
      at++
    } else if (code === 45 && text.charCodeAt(at + 1) === 45) {
      at = endOfLine(text, at + 2)
    } else if (code === 47 && text.charCodeAt(at + 1) === 42) {
      const end = endOfComment(text, at)
      if (end === -1) return -1 - at
      at = end
    } else {
      return at
    }
  }
}

function endOfLine(text: string, from: number): number {
  let at = from
  while (at < text.length && text.charCodeAt(at) !== 10 && text.charCodeAt(at) !== 13) at++
  return at
}

function endOfComment(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 47 && text.charCodeAt(at + 1) === 42) {
      depth++
      at++
    } else if (code === 42 && text.charCodeAt(at + 1) === 47) {
      at++
      if (--depth === 0) return at + 1
    }
  }
  return -1
}

function endOfIdentifier(text: string, from: number): number {
  let at = from
  while (at < text.length && characterClass(text.charCodeAt(at)) & isIdentifierPart) at++
  return at
}

/** Operators end before a comment, and `+` or `-` at their end belongs to what follows unless a special character precedes. */
function endOfOperator(text: string, from: number): number {
  let end = from + 1
  while (characterClass(text.charCodeAt(end)) === isOperator) {
    const code = text.charCodeAt(end)
    const following = text.charCodeAt(end + 1)
    if ((code === 47 && following === 42) || (code === 45 && following === 45)) break
    end++
  }
  if (end - from === 1 || !/[+-]/.test(text[end - 1] as string)) return end
  if (/[~!@#^&|`?%]/.test(text.slice(from, end))) return end
  while (end - from > 1 && /[+-]/.test(text[end - 1] as string)) end--
  return end
}

function nextQuoteOutsideEscapes(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 92 /* \ */) at++
    else if (code === quote) return at
  }
  return -1
}
