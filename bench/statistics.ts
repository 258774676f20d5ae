/** Several measurements of one thing: their median, the middle half, and how many there were. */
export interface Spread {
  median: number
  /** First quartile. */
  low: number
  /** Third quartile. */
  high: number
  samples: number
}

/** Summarises measurements. Throws when there are none, or when one is not a finite number. */
export function summarise(values: readonly number[]): Spread {
  if (values.length === 0) throw new Error('Nothing was measured, so there is nothing to summarise')
  const wrong = values.find((value) => !Number.isFinite(value))
  if (wrong !== undefined) throw new Error(`A measurement is ${wrong}, which is not a number that can be summarised`)
  const sorted = values.toSorted((a, b) => a - b)
  return {
    median: quantile(sorted, 0.5),
    low: quantile(sorted, 0.25),
    high: quantile(sorted, 0.75),
    samples: sorted.length,
  }
}

/**
 * The ratio of two arms measured in the same rounds: one ratio per round, so that what slowed a whole round (another
 * process, a colder processor) slows both of its halves and drops out.
 */
export function compareRounds(measured: readonly number[], reference: readonly number[]): Spread {
  if (measured.length !== reference.length)
    throw new Error(`${measured.length} rounds cannot be compared with ${reference.length}: they were not interleaved`)
  return summarise(measured.map((value, round) => value / (reference[round] ?? Number.NaN)))
}

/** The quantile of an ascending list, with linear interpolation between the two nearest values. */
function quantile(sorted: readonly number[], fraction: number): number {
  const position = (sorted.length - 1) * fraction
  const below = sorted[Math.floor(position)] ?? Number.NaN
  const above = sorted[Math.ceil(position)] ?? Number.NaN
  return below + (above - below) * (position - Math.floor(position))
}
