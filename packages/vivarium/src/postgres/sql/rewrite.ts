/** A part of a text, in offsets of the JavaScript string, and what comes in its place. */
export interface Replacement {
  start: number
  end: number
  text: string
}

/** A text with parts replaced, and the way back for the server's error positions. */
export interface RewrittenText {
  text: string
  /**
   * Maps a position in the rewritten text to one in the original, both as the server counts: from 1, in characters.
   * What points into a replacement maps to the start of the part that it replaced; 0 (no position) stays 0.
   */
  originalPosition: (position: number) => number
}

/** Replaces parts of a text. The parts may be empty (an insertion) and in any order, but must not overlap. */
export function replaceSpans(text: string, replacements: readonly Replacement[]): RewrittenText {
  const ordered = replacements.toSorted((a, b) => a.start - b.start || a.end - b.end)
  let rewritten = ''
  let last = 0
  for (const { start, end, text: replacement } of ordered) {
    if (start < last || end < start || end > text.length)
      throw new RangeError(`No part of the text: ${start} to ${end}`)
    rewritten += text.slice(last, start) + replacement
    last = end
  }
  rewritten += text.slice(last)
  return {
    text: rewritten,
    originalPosition: (position) => {
      if (position <= 0) return position
      const offset = originalOffset(ordered, offsetOfCharacter(rewritten, position - 1))
      return charactersBefore(text, offset) + 1
    },
  }
}

function originalOffset(ordered: readonly Replacement[], offset: number): number {
  let shift = 0
  for (const { start, end, text } of ordered) {
    const from = start + shift
    if (offset < from) break
    if (offset < from + text.length) return start
    shift += text.length - (end - start)
  }
  return offset - shift
}

/** The server counts a surrogate pair as one character. */
function offsetOfCharacter(text: string, characters: number): number {
  let offset = 0
  for (let left = characters; left > 0 && offset < text.length; left--) {
    offset += (text.codePointAt(offset) as number) > 0xffff ? 2 : 1
  }
  return offset
}

function charactersBefore(text: string, offset: number): number {
  let characters = 0
  for (let at = 0; at < offset && at < text.length; characters++) {
    at += (text.codePointAt(at) as number) > 0xffff ? 2 : 1
  }
  return characters
}
