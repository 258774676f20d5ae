/** Values for one column: the same number always gives the same one. */
export interface ValueSeries {
  /** How many different ones there are before they come again. */
  readonly size: number
  /** The one of a number, counted from 1. */
  at(number: number): unknown
}

/** A series that never comes to its end. */
export function endless(at: (number: number) => unknown): ValueSeries {
  return { size: Infinity, at }
}

/** A list, over and over. */
export function cycle(list: readonly unknown[]): ValueSeries {
  return { size: list.length, at: (number) => list[(number - 1) % list.length] }
}

/** Whole numbers from `least` to `most`, beginning with `first`, over and over. */
export function numbers(least: number, most: number, first: number = least): ValueSeries {
  const size = most - least + 1
  return { size, at: (number) => least + ((first - least + number - 1) % size) }
}
