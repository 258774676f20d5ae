import type { Isolation } from '../../src/core/options.ts'

/** The isolations that a suite runs in, for `describe.each(isolations)`. */
export const isolations: readonly Isolation[] = ['transaction', 'database']
