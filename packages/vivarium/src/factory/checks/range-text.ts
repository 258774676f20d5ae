/** A bound of a range that is written as Postgres does: `[a,b)`. `undefined` where it is none; `null` where it has no such bound. */
export function rangeBound(text: string, which: 'lower' | 'upper'): string | number | null | undefined {
  const found = /^[[(]"?([^",]*)"?,"?([^",]*)"?[\])]$/.exec(text)
  if (found === null) return undefined
  const bound = found[which === 'lower' ? 1 : 2] ?? ''
  if (bound === '') return null
  return /^-?\d+(\.\d+)?$/.test(bound) ? Number(bound) : bound
}
