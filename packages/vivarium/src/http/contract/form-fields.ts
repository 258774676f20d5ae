import type { TextTree } from './typed-text.ts'

/** A name that cannot be read: `a[b`, or one with both a value and fields. */
export interface FormProblem {
  readonly name: string
  readonly message: string
}

/** The pairs of a query or of a form (`application/x-www-form-urlencoded`), decoded. Lenient as the WHATWG's parser is. */
export function parsePairs(text: string): [name: string, value: string][] {
  return text === '' ? [] : [...new URLSearchParams(text)]
}

/**
 * Pairs with brackets as a tree: `items[0][price]`, `metadata[key]`, `expand[]`. Names in `whole` are taken as they are: a document
 * may list a field called `expand[]`.
 */
export function nestPairs(
  pairs: readonly (readonly [string, string])[],
  whole: readonly string[],
): { root: TextTree; problems: FormProblem[] } {
  const root: TextTree = { texts: [], children: new Map() }
  const problems: FormProblem[] = []
  for (const [name, value] of pairs) {
    const steps = whole.includes(name) ? [name] : bracketSteps(name)
    if (steps === undefined) {
      problems.push({ name, message: 'has brackets that do not match' })
      continue
    }
    let node = root
    for (const step of steps) {
      const next = node.children.get(step) ?? { texts: [], children: new Map() }
      node.children.set(step, next)
      node = next
    }
    node.texts.push(value)
  }
  problems.push(...twoKinds(root, ''))
  return { root, problems }
}

/** `a[b][]` → `a`, `b`, ``; `undefined` where the brackets do not match. */
function bracketSteps(name: string): string[] | undefined {
  const open = name.indexOf('[')
  if (open <= 0) return name.includes(']') || open === 0 ? undefined : [name]
  const rest = name.slice(open)
  if (!/^(\[[^[\]]*\])+$/.test(rest)) return undefined
  return [name.slice(0, open), ...rest.slice(1, -1).split('][')]
}

function twoKinds(node: TextTree, path: string): FormProblem[] {
  return [...node.children].flatMap(([step, child]) => {
    const name = path === '' ? step : `${path}[${step}]`
    const own =
      child.texts.length > 0 && child.children.size > 0
        ? [{ name, message: 'is given as a value and with fields of its own' }]
        : []
    return [...own, ...twoKinds(child, name)]
  })
}
