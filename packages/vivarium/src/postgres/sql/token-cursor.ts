import { isColumnIdentifier, isNonReservedWord } from './keywords.ts'
import type { Token } from './lexer.ts'
import { truncateIdentifier } from './literals.ts'

/** A name in a statement, as the server knows it, and where it stands. */
export interface NamedSpan {
  name: string
  nameSpan: { start: number; end: number }
}

/** Reads one statement's tokens in order; each `accept…` moves on only when it matches. */
export class TokenCursor {
  readonly tokens: readonly Token[]
  position = 0

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens
  }

  get done(): boolean {
    return this.position >= this.tokens.length
  }

  peek(ahead = 0): Token | undefined {
    return this.tokens[this.position + ahead]
  }

  /** The word that stands `ahead` tokens from here, folded; undefined for anything else. */
  word(ahead = 0): string | undefined {
    const token = this.peek(ahead)
    return token?.kind === 'word' ? token.value : undefined
  }

  /** Accepts these words in this order, all or none. */
  acceptWords(...words: string[]): boolean {
    for (let index = 0; index < words.length; index++) if (this.word(index) !== words[index]) return false
    this.position += words.length
    return true
  }

  acceptOneOf(...words: string[]): string | undefined {
    const word = this.word()
    if (word === undefined || !words.includes(word)) return undefined
    this.position++
    return word
  }

  acceptSymbol(text: string): boolean {
    const token = this.peek()
    if (token === undefined || token.text !== text) return false
    this.position++
    return true
  }

  /** A string constant as the grammar's Sconst: bit and national strings are not. */
  acceptString(): Token | undefined {
    const token = this.peek()
    if (token?.kind !== 'string' || /^[bxn]/i.test(token.text)) return undefined
    this.position++
    return token
  }

  /** A ColId: any identifier but a reserved word. */
  acceptName(): NamedSpan | undefined {
    const token = this.peek()
    if (token === undefined || !isName(token)) return undefined
    this.position++
    return { name: truncateIdentifier(token.value), nameSpan: { start: token.start, end: token.end } }
  }

  /** NonReservedWord_or_Sconst of the grammar: its value, which is cut like a name unless it is a string. */
  acceptWordOrString(): string | undefined {
    const text = this.acceptString()
    if (text) return text.value
    const token = this.peek()
    if (token === undefined) return undefined
    if (token.kind === 'word' ? !isNonReservedWord(token.value) : !isQuotedName(token)) return undefined
    this.position++
    return truncateIdentifier(token.value)
  }

  /** Skips a parenthesised group when one starts here; false when it does not end. */
  skipParentheses(): boolean {
    if (this.peek()?.text !== '(') return true
    let depth = 0
    for (; !this.done; this.position++) {
      const { text } = this.peek() as Token
      if (text === '(') depth++
      else if (text === ')' && --depth === 0) {
        this.position++
        return true
      }
    }
    return false
  }
}

function isName(token: Token): boolean {
  return token.kind === 'word' ? isColumnIdentifier(token.value) : isQuotedName(token)
}

function isQuotedName(token: Token): boolean {
  // The server refuses a zero-length delimited identifier.
  return token.kind === 'quotedIdentifier' && token.value !== ''
}
