/** A place in a text, as a person looks for it. */
export interface SourcePlace {
  /** From 1. */
  readonly line: number
  /** In characters, from 1. */
  readonly column: number
  /** The line itself, with a caret below the place. */
  readonly excerpt: string
  label(name: string): string
}

/** The place of an offset (UTF-16) in a text; lines end with LF or CRLF. */
export function findPlace(text: string, offset: number): SourcePlace {
  const start = text.lastIndexOf('\n', offset - 1) + 1
  const newline = text.indexOf('\n', offset)
  const content = text.slice(start, newline === -1 ? text.length : newline).replace(/\r$/, '')
  const line = text.slice(0, start).split('\n').length
  const before = text.slice(start, offset)
  const column = Array.from(before).length + 1
  const margin = `${line} | `
  // Tabs are kept below themselves, so that the caret stands under its character however wide they are shown.
  const indent = before.replace(/[^\t]/gu, ' ')
  return {
    line,
    column,
    excerpt: `${margin}${content}\n${' '.repeat(margin.length)}${indent}^`,
    label: (name) => `${name}:${line}:${column}`,
  }
}

/** The UTF-16 offset of the server's `position`: characters (code points), from 1. */
export function toOffset(text: string, position: number): number {
  let offset = 0
  for (let left = position - 1; left > 0 && offset < text.length; left--) {
    offset += (text.codePointAt(offset) as number) > 0xffff ? 2 : 1
  }
  return offset
}
