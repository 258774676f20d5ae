import type { Expression } from './expression.ts'

/** What stands in the text is of a kind that is not understood. */
class NotUnderstood extends Error {}

type TokenKind = 'word' | 'quoted' | 'string' | 'number' | 'symbol'

interface Token {
  readonly kind: TokenKind
  readonly text: string
}

const pattern =
  /\s+|(?<string>[EeBb]?'(?:[^']|'')*')|(?<quoted>"(?:[^"]|"")*")|(?<number>\d+(?:\.\d*)?(?:e[-+]?\d+)?)|(?<word>[a-zA-Z_\u0080-\uffff][\w$\u0080-\uffff]*)|(?<symbol>::|[-+*/<>=~!@#%^&|`?]+|[()[\],.:;{}])/giy

/** The expression that Postgres prints as `sql`; `undefined` where a part of it is not understood. */
export function parseExpression(sql: string): Expression | undefined {
  try {
    const parser = new Parser(tokensOf(sql))
    const expression = parser.expression()
    return parser.isAtEnd ? expression : undefined
  } catch (error) {
    if (error instanceof NotUnderstood) return undefined
    throw error
  }
}

function tokensOf(sql: string): Token[] {
  const tokens: Token[] = []
  pattern.lastIndex = 0
  while (pattern.lastIndex < sql.length) {
    const found = pattern.exec(sql)
    if (found === null) throw new NotUnderstood()
    const [kind, text] = Object.entries(found.groups ?? {}).find(([, one]) => one !== undefined) ?? []
    if (kind !== undefined && text !== undefined) tokens.push({ kind: kind as TokenKind, text })
  }
  return tokens
}

/** How tightly operators bind, the loosest first (PostgreSQL documentation, "Operator Precedence"). */
const comparisons: ReadonlySet<string> = new Set(['<', '>', '=', '<=', '>=', '<>', '!='])
const sums: ReadonlySet<string> = new Set(['+', '-'])
const products: ReadonlySet<string> = new Set(['*', '/', '%'])

/** Words that go on a type's name: `timestamp without time zone`. */
const typeWords: ReadonlySet<string> = new Set(['varying', 'precision', 'without', 'with', 'time', 'zone'])

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  get isAtEnd(): boolean {
    return this.#at === this.#tokens.length
  }

  expression(): Expression {
    return this.#list('or', () => this.#list('and', () => this.#not()))
  }

  #list(kind: 'and' | 'or', next: () => Expression): Expression {
    const args = [next()]
    while (this.#takeWord(kind)) args.push(next())
    return args.length === 1 ? (args[0] as Expression) : { kind, args }
  }

  #not(): Expression {
    if (this.#takeWord('not')) return { kind: 'not', arg: this.#not() }
    return this.#is(this.#comparison())
  }

  #is(arg: Expression): Expression {
    let read = arg
    while (this.#takeWord('is')) {
      const isNot = this.#takeWord('not')
      if (this.#takeWord('distinct')) {
        this.#wantWord('from')
        const name = isNot ? 'is not distinct from' : 'is distinct from'
        read = { kind: 'operator', name, args: [read, this.#comparison()] }
        continue
      }
      const what = (['null', 'true', 'false', 'unknown'] as const).find((word) => this.#takeWord(word))
      if (what === undefined) throw new NotUnderstood()
      read = { kind: 'is', arg: read, what }
      if (isNot) read = { kind: 'not', arg: read }
    }
    return read
  }

  #comparison(): Expression {
    let left = this.#other()
    for (;;) {
      const name = this.#takeSymbol((text) => comparisons.has(text))
      if (name === undefined) return left
      left = this.#compared(name === '!=' ? '<>' : name, left, () => this.#other())
    }
  }

  /** All operators that bind tighter than comparisons and looser than sums: `~`, `||`, `@>`, … */
  #other(): Expression {
    let left = this.#binary(sums, () => this.#binary(products, () => this.#unary()))
    for (;;) {
      if (this.#takeWord('between') || this.#peekWord('like') || this.#peekWord('similar')) throw new NotUnderstood()
      const name = this.#takeSymbol((text) => /^[-+*/<>=~!@#%^&|`?]+$/.test(text) && !isArithmetic(text))
      if (name === undefined) return left
      left = this.#compared(name, left, () => this.#binary(sums, () => this.#binary(products, () => this.#unary())))
    }
  }

  #compared(name: string, left: Expression, next: () => Expression): Expression {
    const quantifier = this.#takeWord('any') ? 'any' : this.#takeWord('all') ? 'all' : undefined
    if (quantifier === undefined) return { kind: 'operator', name, args: [left, next()] }
    this.#want('(')
    const right = this.expression()
    this.#want(')')
    return { kind: 'quantified', all: quantifier === 'all', name, left, right }
  }

  #binary(names: ReadonlySet<string>, next: () => Expression): Expression {
    let left = next()
    for (;;) {
      const name = this.#takeSymbol((text) => names.has(text))
      if (name === undefined) return left
      left = { kind: 'operator', name, args: [left, next()] }
    }
  }

  #unary(): Expression {
    if (this.#takeSymbol((text) => text === '-') !== undefined) {
      const arg = this.#unary()
      if (arg.kind === 'literal' && typeof arg.value === 'number') return { kind: 'literal', value: -arg.value }
      return { kind: 'operator', name: '-', args: [{ kind: 'literal', value: 0 }, arg] }
    }
    if (this.#takeSymbol((text) => text === '+') !== undefined) return this.#unary()
    return this.#suffixed(this.#primary())
  }

  #suffixed(first: Expression): Expression {
    let read = first
    for (;;) {
      if (this.#take('::')) read = { kind: 'cast', arg: read, type: this.#type() }
      else if (this.#takeWord('collate')) this.#name()
      else if (this.#peekWord('at') || this.#peek('[') || this.#peek('.')) throw new NotUnderstood()
      else return read
    }
  }

  #primary(): Expression {
    const token = this.#tokens[this.#at++]
    if (token === undefined) throw new NotUnderstood()
    switch (token.kind) {
      case 'number':
        return { kind: 'literal', value: Number(token.text) }
      case 'string':
        return { kind: 'literal', value: stringOf(token.text) }
      case 'quoted':
        return this.#named(token.text.slice(1, -1).replaceAll('""', '"'))
      case 'symbol': {
        if (token.text !== '(') throw new NotUnderstood()
        const inner = this.expression()
        if (this.#peek(',')) throw new NotUnderstood()
        this.#want(')')
        return inner
      }
      case 'word':
        return this.#word(token.text)
    }
  }

  #word(text: string): Expression {
    const word = text.toLowerCase()
    switch (word) {
      case 'null':
        return { kind: 'literal', value: null }
      case 'true':
      case 'false':
        return { kind: 'literal', value: word === 'true' }
      case 'array':
        return this.#peek('[') ? this.#array() : this.#named(text)
      case 'case':
        return this.#case()
      case 'extract':
        return this.#extract()
      case 'current_date':
      case 'current_timestamp':
      case 'localtimestamp':
        return { kind: 'call', name: word === 'current_date' ? word : 'now', args: [] }
      default:
        return this.#named(text)
    }
  }

  /** A column, or a function with its arguments; a schema before it does not matter. */
  #named(first: string): Expression {
    let name = first
    while (this.#take('.')) name = this.#name()
    if (!this.#take('(')) return { kind: 'column', name }
    const args: Expression[] = []
    while (!this.#take(')')) {
      args.push(this.expression())
      if (!this.#peek(')')) this.#want(',')
    }
    return { kind: 'call', name: name.toLowerCase(), args }
  }

  #array(): Expression {
    this.#want('[')
    const args: Expression[] = []
    while (!this.#take(']')) {
      args.push(this.expression())
      if (!this.#peek(']')) this.#want(',')
    }
    return { kind: 'array', args }
  }

  #case(): Expression {
    const subject = this.#peekWord('when') ? undefined : this.expression()
    const branches: (readonly [Expression, Expression])[] = []
    while (this.#takeWord('when')) {
      const when = this.expression()
      this.#wantWord('then')
      const test: Expression = subject === undefined ? when : { kind: 'operator', name: '=', args: [subject, when] }
      branches.push([test, this.expression()])
    }
    const otherwise: Expression = this.#takeWord('else') ? this.expression() : { kind: 'literal', value: null }
    this.#wantWord('end')
    return { kind: 'case', branches, otherwise }
  }

  /** `EXTRACT(year FROM born_on)` */
  #extract(): Expression {
    this.#want('(')
    const field = this.#name().toLowerCase()
    this.#wantWord('from')
    const arg = this.expression()
    this.#want(')')
    return { kind: 'call', name: 'extract', args: [{ kind: 'literal', value: field }, arg] }
  }

  #type(): string {
    let type = this.#name()
    for (;;) {
      if (this.#take('.')) type = this.#name()
      else if (this.#take('[')) {
        this.#want(']')
        type += '[]'
      } else if (this.#take('(')) {
        while (!this.#take(')')) this.#at++
        if (this.#at > this.#tokens.length) throw new NotUnderstood()
      } else {
        const next = this.#tokens[this.#at]
        if (next?.kind !== 'word' || !typeWords.has(next.text.toLowerCase())) return type.toLowerCase()
        type += ` ${next.text}`
        this.#at++
      }
    }
  }

  #name(): string {
    const token = this.#tokens[this.#at++]
    if (token?.kind === 'quoted') return token.text.slice(1, -1).replaceAll('""', '"')
    if (token?.kind !== 'word') throw new NotUnderstood()
    return token.text
  }

  #peek(text: string): boolean {
    const token = this.#tokens[this.#at]
    return token?.kind === 'symbol' && token.text === text
  }

  #take(text: string): boolean {
    if (!this.#peek(text)) return false
    this.#at++
    return true
  }

  #want(text: string): void {
    if (!this.#take(text)) throw new NotUnderstood()
  }

  #takeSymbol(accepts: (text: string) => boolean): string | undefined {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'symbol' || !accepts(token.text)) return undefined
    this.#at++
    return token.text
  }

  #peekWord(word: string): boolean {
    const token = this.#tokens[this.#at]
    return token?.kind === 'word' && token.text.toLowerCase() === word
  }

  #takeWord(word: string): boolean {
    if (!this.#peekWord(word)) return false
    this.#at++
    return true
  }

  #wantWord(word: string): void {
    if (!this.#takeWord(word)) throw new NotUnderstood()
  }
}

function isArithmetic(text: string): boolean {
  return comparisons.has(text) || sums.has(text) || products.has(text)
}

/** `'it''s'` and `E'a\\b'`, as Postgres prints them. */
function stringOf(text: string): string {
  if (!/^e/i.test(text)) return text.replace(/^b/i, '').slice(1, -1).replaceAll("''", "'")
  return text.slice(2, -1).replaceAll("''", "'").replaceAll('\\\\', '\\')
}
