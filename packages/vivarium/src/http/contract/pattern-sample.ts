/** A pattern's part, as far as samples are made of it. */
type PatternNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'sequence'; readonly nodes: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly nodes: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly node: PatternNode; readonly least: number; readonly most: number }

/**
 * Texts that match a regular expression, the shortest first; none for one with parts that no sample can be made of
 * (look-around, references back). Whoever takes one tries it on the pattern itself.
 */
export function* samplesOf(pattern: string): Generator<string> {
  const node = new PatternReader(pattern).read()
  if (node === undefined) return
  for (const extra of [0, 1, 2, 3, 5, 8, 13, 21, 34, 55]) yield sample(node, extra, 0)
  for (let choice = 1; choice < 6; choice++) yield sample(node, 0, choice)
}

function sample(node: PatternNode, extra: number, choice: number): string {
  switch (node.kind) {
    case 'text':
      return node.text
    case 'sequence':
      return node.nodes.map((one) => sample(one, extra, choice)).join('')
    case 'choice': {
      const chosen = node.nodes[choice % node.nodes.length]
      return chosen === undefined ? '' : sample(chosen, extra, choice)
    }
    case 'repeat':
      return sample(node.node, extra, choice).repeat(Math.min(node.most, node.least + extra))
  }
}

/** Reads a regular expression by recursive descent; gives up where it meets what it does not know. */
class PatternReader {
  readonly #pattern: string
  #at = 0

  constructor(pattern: string) {
    this.#pattern = pattern
  }

  read(): PatternNode | undefined {
    const node = this.#choice()
    return this.#at === this.#pattern.length ? node : undefined
  }

  #choice(): PatternNode | undefined {
    const nodes: PatternNode[] = []
    do {
      const node = this.#sequence()
      if (node === undefined) return undefined
      nodes.push(node)
    } while (this.#take('|'))
    return nodes.length === 1 ? nodes[0] : { kind: 'choice', nodes }
  }

  #sequence(): PatternNode | undefined {
    const nodes: PatternNode[] = []
    while (this.#at < this.#pattern.length && !'|)'.includes(this.#pattern[this.#at] ?? '')) {
      const atom = this.#atom()
      const node = atom === undefined ? undefined : this.#repeated(atom)
      if (node === undefined) return undefined
      nodes.push(node)
    }
    return { kind: 'sequence', nodes }
  }

  #atom(): PatternNode | undefined {
    const char = this.#pattern[this.#at++] ?? ''
    switch (char) {
      case '^':
      case '$':
        return text('')
      case '.':
        return text('a')
      case '[':
        return this.#class()
      case '\\':
        return this.#escape()
      case '(':
        return this.#group()
      default:
        return '*+?{'.includes(char) ? undefined : text(char)
    }
  }

  #group(): PatternNode | undefined {
    if (this.#take('?')) {
      const kind = /^(:|<[A-Za-z]\w*>)/.exec(this.#pattern.slice(this.#at))?.[0]
      if (kind === undefined) return undefined
      this.#at += kind.length
    }
    const node = this.#choice()
    return this.#take(')') ? node : undefined
  }

  #repeated(node: PatternNode): PatternNode | undefined {
    const found = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/.exec(this.#pattern.slice(this.#at))
    if (found === null) return node
    this.#at += found[0].length
    const [all, least, comma, most] = found
    if (all.startsWith('*')) return { kind: 'repeat', node, least: 0, most: Infinity }
    if (all.startsWith('+')) return { kind: 'repeat', node, least: 1, most: Infinity }
    if (all.startsWith('?')) return { kind: 'repeat', node, least: 0, most: 1 }
    const upTo = most === undefined || most === '' ? (comma === ',' ? Infinity : Number(least)) : Number(most)
    return { kind: 'repeat', node, least: Number(least), most: upTo }
  }

  #escape(): PatternNode | undefined {
    const char = this.#pattern[this.#at++] ?? ''
    const known = escapes.get(char)
    if (known !== undefined) return text(known)
    const coded = /^(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))/.exec(char + this.#pattern.slice(this.#at))
    if (coded !== null) {
      this.#at += coded[0].length - 1
      return text(String.fromCharCode(Number.parseInt(coded[1] ?? coded[2] ?? '', 16)))
    }
    return /[0-9kpPBcu]/.test(char) ? undefined : text(char)
  }

  /** The first of a few characters that the class, read by the engine itself, matches. */
  #class(): PatternNode | undefined {
    const end = /^\^?\]?(?:\\.|[^\]\\])*\]/.exec(this.#pattern.slice(this.#at))?.[0]
    if (end === undefined) return undefined
    this.#at += end.length
    const matcher = new RegExp(`^[${end}$`)
    const first = /^[^\\^[]/.exec(end)?.[0] ?? ''
    const found = [first, ...usual.split('')].find((char) => char !== '' && matcher.test(char))
    return found === undefined ? undefined : text(found)
  }

  #take(char: string): boolean {
    if (this.#pattern[this.#at] !== char) return false
    this.#at++
    return true
  }
}

const usual = 'aA0_- .,:;/@#%&=+~!?*()[]{}<>|"\'`^$\\\t\n\u00e9'

const escapes: ReadonlyMap<string, string> = new Map([
  ['d', '0'],
  ['D', 'a'],
  ['w', 'a'],
  ['W', '-'],
  ['s', ' '],
  ['S', 'a'],
  ['b', ''],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])

function text(value: string): PatternNode {
  return { kind: 'text', text: value }
}
