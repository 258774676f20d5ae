/**
 * How many arguments a function takes at most, read from its source: `length` stops at the first default, and does not know rest
 * parameters. `undefined` where it takes any number, or where that cannot be told. At least how many it takes cannot be
 * told at all: `f(a, b?)` in TypeScript is `f(a, b)` when it runs.
 */
export function parameterCount(fn: (...args: never[]) => unknown): number | undefined {
  const source = Function.prototype.toString.call(fn)
  if (/\[native code\]|\barguments\b/.test(source)) return undefined
  // One name and no parentheses, as in `request => …`.
  if (/^(async\s+)?[\p{L}_$][\p{L}\d_$]*\s*=>/u.test(source)) return 1
  const start = parametersStart(source)
  return start === undefined ? undefined : countParameters(source, start)
}

/** Behind the parenthesis that opens the parameters: the first one that is not in a computed name. */
function parametersStart(source: string): number | undefined {
  let depth = 0
  for (let at = 0; at < source.length; at = behind(source, at)) {
    const character = source[at]
    if (character === '[') depth++
    else if (character === ']') depth--
    else if (character === '(' && depth === 0) return at + 1
    else if (character === '{') return undefined
  }
  return undefined
}

function countParameters(source: string, start: number): number | undefined {
  let depth = 0
  let commas = 0
  // Something stands behind the last comma: a trailing one begins no parameter.
  let isStarted = false
  for (let at = start; at < source.length; at = behind(source, at)) {
    const character = source[at] ?? ''
    if (depth === 0 && character === ')') return commas + (isStarted ? 1 : 0)
    if (depth === 0 && source.startsWith('...', at)) return undefined
    if ('([{'.includes(character)) depth++
    else if (')]}'.includes(character)) depth--
    if (depth === 0 && character === ',') {
      commas++
      isStarted = false
    } else if (!/\s/.test(character) && !isComment(source, at)) isStarted = true
  }
  return undefined
}

/** The place behind what begins at `at`: a comment, a string, else one character. */
function behind(source: string, at: number): number {
  const character = source[at] ?? ''
  if (source.startsWith('//', at)) return endOf(source, '\n', at + 2)
  if (source.startsWith('/*', at)) return endOf(source, '*/', at + 2)
  if (!'\'"`'.includes(character)) return at + 1
  let end = at + 1
  while (end < source.length && source[end] !== character) end += source[end] === '\\' ? 2 : 1
  return end + 1
}

function isComment(source: string, at: number): boolean {
  return source.startsWith('//', at) || source.startsWith('/*', at)
}

function endOf(source: string, closing: string, from: number): number {
  const found = source.indexOf(closing, from)
  return found < 0 ? source.length : found + closing.length
}
