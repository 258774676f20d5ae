import { Lexer } from './lexer.ts'
import type { Token } from './lexer.ts'

/** One statement of a text, from its first token to its last, without the semicolon. */
export interface StatementSpan {
  tokens: Token[]
  start: number
  end: number
}

/** The statements of a text; empty ones are left out. */
export function splitStatements(text: string): StatementSpan[] {
  const lexer = new Lexer(text)
  const boundary = new StatementBoundary()
  const spans: StatementSpan[] = []
  let tokens: Token[] = []
  const finish = (): void => {
    const last = tokens.at(-1)
    if (tokens[0] && last) spans.push({ tokens, start: tokens[0].start, end: last.end })
    tokens = []
    boundary.reset()
  }
  while (lexer.next()) {
    if (boundary.endsAt(lexer)) finish()
    else tokens.push(lexer.token())
  }
  finish()
  return spans
}

type RoutineState = 'start' | 'create' | 'or' | 'replace' | 'routine' | 'no'
const routineTransitions: Readonly<Record<RoutineState, Readonly<Record<string, RoutineState>>>> = {
  start: { create: 'create' },
  create: { or: 'or', function: 'routine', procedure: 'routine' },
  or: { replace: 'replace' },
  replace: { function: 'routine', procedure: 'routine' },
  routine: {},
  no: {},
}

/**
 * Says which semicolons end a statement: not those in parentheses (CREATE RULE … DO (…; …)), nor those of the
 * `BEGIN ATOMIC …; …; END` body of CREATE FUNCTION or PROCEDURE. The grammar lets the END of such a body stand only behind
 * a semicolon or ATOMIC, and no statement within it begins with END: so the END of a CASE, or a column called so, is
 * told apart without counting.
 */
export class StatementBoundary {
  #parentheses = 0
  #routine: RoutineState = 'start'
  #inBody = false
  /** The token before, where it is a word or a semicolon. */
  #previous = ''

  /** To be called at the start of each statement. */
  reset(): void {
    this.#parentheses = 0
    this.#routine = 'start'
    this.#inBody = false
    this.#previous = ''
  }

  /** Takes the lexer's current token; true when it is the semicolon that ends the statement. */
  endsAt(lexer: Lexer): boolean {
    if (lexer.kind === 'punctuation') {
      const code = lexer.text.charCodeAt(lexer.start)
      this.#previous = code === 59 /* ; */ ? ';' : ''
      if (code === 59) return this.#parentheses === 0 && !this.#inBody
      if (code === 40) this.#parentheses++
      else if (code === 41 && this.#parentheses > 0) this.#parentheses--
    } else if (this.#routine !== 'no') {
      this.#follow(lexer)
    }
    return false
  }

  #follow(lexer: Lexer): void {
    const word = lexer.kind === 'word' ? lexer.value() : ''
    if (this.#routine !== 'routine') this.#routine = routineTransitions[this.#routine][word] ?? 'no'
    else if (this.#inBody) this.#inBody = !(word === 'end' && (this.#previous === ';' || this.#previous === 'atomic'))
    else this.#inBody = word === 'atomic' && this.#previous === 'begin' && this.#parentheses === 0
    this.#previous = word
  }
}
