import type { SchemaView } from './schema-view.ts'

/** A tree of names and texts, as a form or a query spells nested values: `items[0][price]=…`. */
export interface TextTree {
  readonly texts: string[]
  /** By the name in the next brackets; `''` for `[]`. */
  readonly children: Map<string, TextTree>
}

/** A text as the schemas type it: `12` where an integer may stand is 12. One that fits no other type stays a text. */
export function typedText(text: string, schemas: readonly string[], view: SchemaView): unknown {
  // A name that no schema knows: nobody says that it is anything but a text.
  if (schemas.length === 0) return text
  const types = view.types(schemas)
  const onlyText = types.has('string') && types.size === 1
  if (onlyText || (types.has('string') && view.lists(schemas, text))) return text
  if (types.has('integer') || types.has('number')) {
    // As JSON writes a number: neither ` 1`, `1_000`, `0x10` nor an empty text; `100.00` is no integer to whoever parses one.
    const pattern = types.has('number') ? /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/ : /^-?(0|[1-9]\d*)$/
    if (pattern.test(text) && !isTooLong(text)) return Number(text)
  }
  if (types.has('boolean') && (text === 'true' || text === 'false')) return text === 'true'
  if (types.has('null') && (text === 'null' || (text === '' && !types.has('string')))) return null
  return text
}

/** A tree as the schemas type it: lists where they admit lists, else objects. */
export function typedTree(tree: TextTree, schemas: readonly string[], view: SchemaView): unknown {
  if (tree.children.size > 0) {
    const types = view.types(schemas)
    const names = [...tree.children.keys()]
    const numbered = names.every((name) => /^\d*$/.test(name))
    if (numbered && types.has('array')) return typedList(tree, schemas, view)
    return ownObject(
      [...tree.children].map(([name, child]) => [name, typedTree(child, view.property(schemas, name), view)]),
    )
  }
  return typedTexts(tree.texts, schemas, view)
}

/** All the texts given for one name: one, or a list where a list may stand. */
export function typedTexts(texts: readonly string[], schemas: readonly string[], view: SchemaView): unknown {
  const [text = ''] = texts
  const types = view.types(schemas)
  const isScalar = types.has('string') || types.has('integer') || types.has('number') || types.has('boolean')
  if (texts.length === 1 && (isScalar || !types.has('array'))) return typedText(text, schemas, view)
  const items = view.items(schemas)
  // Given twice where one is wanted: the list that it is then breaks the schema's type.
  return texts.map((one) => typedText(one, items, view))
}

/** An object of its own names only: `__proto__` is one like any other. */
export function ownObject(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (const [name, value] of entries) {
    Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true })
  }
  return object
}

function typedList(tree: TextTree, schemas: readonly string[], view: SchemaView): unknown[] {
  const items = view.items(schemas)
  return [...tree.children]
    .toSorted(([one], [other]) => Number(one) - Number(other))
    .flatMap(([name, child]) =>
      name === '' && child.children.size === 0
        ? child.texts.map((text) => typedText(text, items, view))
        : [typedTree(child, items, view)],
    )
}

/** Whether a number has more digits than a double keeps: rounded in silence it would be another one. */
function isTooLong(text: string): boolean {
  return /^-?\d+$/.test(text) && !Number.isSafeInteger(Number(text))
}
