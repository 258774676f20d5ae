import type { ValueSeries } from '../values/value-series.ts'

const posixClasses: Readonly<Record<string, string>> = {
  alpha: 'a-zA-Z',
  digit: '0-9',
  alnum: 'a-zA-Z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: String.raw`\s`,
  blank: String.raw` \t`,
  punct: '!-/:-@\\[-`{-~',
  xdigit: '0-9a-fA-F',
}

/** A regular expression of Postgres as JavaScript writes it. */
function translated(source: string): string {
  return source
    .replaceAll(/\[:(\w+):\]/g, (whole, name: string) => posixClasses[name] ?? whole)
    .replaceAll(/\\[mMyY]/g, String.raw`\b`)
    .replaceAll('\\A', '^')
    .replaceAll('\\Z', '$')
}

/** Whether `text` matches a regular expression of Postgres; `undefined` where that cannot be told. */
export function matches(source: string, text: string, ignoresCase = false): boolean | undefined {
  const embedded = /^\(\?([a-z]+)\)/.exec(source)
  if (embedded !== null && embedded[1] !== 'i') return undefined
  try {
    const flags = ignoresCase || embedded !== null ? 'is' : 's'
    return new RegExp(translated(source.slice(embedded?.[0].length ?? 0)), flags).test(text)
  } catch {
    return undefined
  }
}

/** What LIKE means, as a regular expression. */
export function likeToRegex(pattern: string): string {
  const body = pattern.replaceAll(/\\(.)|[%_]|[\^$.*+?()[\]{}|\\]/g, (found, escaped: string | undefined) => {
    if (escaped !== undefined) return escaped.replace(/[\^$.*+?()[\]{}|\\]/, String.raw`\$&`)
    return found === '%' ? '.*' : found === '_' ? '.' : `\\${found}`
  })
  return `^${body}$`
}

/** Characters that may stand in one place. */
type Slot = string

type PatternNode =
  | { readonly kind: 'slot'; readonly chars: Slot }
  | { readonly kind: 'sequence' | 'choice'; readonly nodes: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly node: PatternNode; readonly least: number; readonly most: number }

/** Different texts that a regular expression matches; none for one with parts that are not understood. */
export function patternSeries(source: string): ValueSeries | undefined {
  const node = new PatternReader(translated(source.replace(/^\(\?i\)/, ''))).read()
  if (node === undefined) return undefined
  // As few characters as it takes, or some more for more different texts.
  const forms = [0, 4, 8].flatMap((extra) => formsOf(node, extra))
  const form =
    forms.find((slots) => sizeOf(slots) >= 1000) ?? forms.toSorted((one, other) => sizeOf(other) - sizeOf(one))[0]
  if (form === undefined) return undefined
  const size = sizeOf(form)
  if (size >= 1000) return { size, at: (number) => textAt(form, (number - 1) % size) }
  const texts = [
    ...new Set(
      forms.flatMap((slots) =>
        Array.from({ length: Math.min(sizeOf(slots), 1000) }, (_, index) => textAt(slots, index)),
      ),
    ),
  ]
  return { size: texts.length, at: (number) => texts[(number - 1) % texts.length] }
}

function sizeOf(slots: readonly Slot[]): number {
  return slots.reduce((product, chars) => Math.min(product * chars.length, Number.MAX_SAFE_INTEGER), 1)
}

/** The last place counts fastest. */
function textAt(slots: readonly Slot[], index: number): string {
  let rest = index
  let text = ''
  for (const chars of slots.toReversed()) {
    text = (chars[rest % chars.length] ?? '') + text
    rest = Math.floor(rest / chars.length)
  }
  return text
}

const mostForms = 24

function formsOf(node: PatternNode, extra: number): (readonly Slot[])[] {
  switch (node.kind) {
    case 'slot':
      return [node.chars === '' ? [] : [node.chars]]
    case 'choice':
      return node.nodes.flatMap((one) => formsOf(one, extra)).slice(0, mostForms)
    case 'sequence':
      return node.nodes.reduce<(readonly Slot[])[]>(
        (forms, one) =>
          forms.flatMap((form) => formsOf(one, extra).map((more) => [...form, ...more])).slice(0, mostForms),
        [[]],
      )
    case 'repeat': {
      const count = Math.min(node.most, node.least + extra)
      return formsOf({ kind: 'sequence', nodes: Array.from({ length: count }, () => node.node) }, extra)
    }
  }
}

const usual = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_- .,:;/@#%&=+~!?*()<>'

/** Reads a regular expression by recursive descent; gives up where it meets what it does not know. */
class PatternReader {
  readonly #source: string
  #at = 0

  constructor(source: string) {
    this.#source = source
  }

  read(): PatternNode | undefined {
    const node = this.#choice()
    return this.#at === this.#source.length ? node : undefined
  }

  #choice(): PatternNode | undefined {
    const nodes: PatternNode[] = []
    do {
      const node = this.#sequence()
      if (node === undefined) return undefined
      nodes.push(node)
    } while (this.#take('|'))
    return { kind: 'choice', nodes }
  }

  #sequence(): PatternNode | undefined {
    const nodes: PatternNode[] = []
    while (this.#at < this.#source.length && !'|)'.includes(this.#source[this.#at] ?? '')) {
      const atom = this.#atom()
      if (atom === undefined) return undefined
      nodes.push(this.#repeated(atom))
    }
    return { kind: 'sequence', nodes }
  }

  #atom(): PatternNode | undefined {
    const char = this.#source[this.#at++] ?? ''
    if (char === '^' || char === '$') return { kind: 'slot', chars: '' }
    if (char === '.') return { kind: 'slot', chars: usual.slice(0, 36) }
    if (char === '[') return this.#class()
    if (char === '(') return this.#group()
    if (char === '\\') return this.#escape()
    return '*+?{'.includes(char) ? undefined : { kind: 'slot', chars: char }
  }

  #group(): PatternNode | undefined {
    if (this.#take('?') && !this.#take(':')) return undefined
    const node = this.#choice()
    return this.#take(')') ? node : undefined
  }

  #escape(): PatternNode | undefined {
    const char = this.#source[this.#at++] ?? ''
    if (char === 'b') return { kind: 'slot', chars: '' }
    if (/[A-Za-z0-9]/.test(char)) return 'dDwWsS'.includes(char) ? matching(`\\${char}`) : undefined
    return { kind: 'slot', chars: char }
  }

  #class(): PatternNode | undefined {
    const end = /^\^?\]?(?:\\.|[^\]\\])*\]/.exec(this.#source.slice(this.#at))?.[0]
    if (end === undefined) return undefined
    this.#at += end.length
    return matching(`[${end}`)
  }

  #repeated(node: PatternNode): PatternNode {
    const found = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/.exec(this.#source.slice(this.#at))
    if (found === null) return node
    this.#at += found[0].length
    const [all, least = '0', comma, most = ''] = found
    if (all.startsWith('*')) return { kind: 'repeat', node, least: 0, most: Infinity }
    if (all.startsWith('+')) return { kind: 'repeat', node, least: 1, most: Infinity }
    if (all.startsWith('?')) return { kind: 'repeat', node, least: 0, most: 1 }
    return {
      kind: 'repeat',
      node,
      least: Number(least),
      most: most === '' ? (comma === ',' ? Infinity : Number(least)) : Number(most),
    }
  }

  #take(char: string): boolean {
    if (this.#source[this.#at] !== char) return false
    this.#at++
    return true
  }
}

/** A place for the usual characters that a class admits. */
function matching(source: string): PatternNode | undefined {
  try {
    const matcher = new RegExp(`^${source}$`)
    const chars = usual
      .split('')
      .filter((char) => matcher.test(char))
      .join('')
    return chars === '' ? undefined : { kind: 'slot', chars }
  } catch {
    return undefined
  }
}
