import { VivariumError } from '../core/errors.ts'

/** The two that must behave alike: each makes a new one for a test, at once or in time. */
export interface ContractSubjects<T> {
  readonly real: () => T | Promise<T>
  readonly double: () => T | Promise<T>
}

/** `describe` of a test runner, as much as is used of it. */
export type DescribeBlock = (name: string, tests: () => void) => unknown

/** Options of {@link describeContract}. */
export interface DescribeContractOptions {
  /** The runner's `describe`. @default the global one, where the runner defines it */
  readonly describe?: DescribeBlock
}

/**
 * Runs one set of tests against the real implementation and against the double, so that neither can drift from the other. `tests` is
 * called once for each, with a function that makes the one under test. Throws `CONFIG_INVALID` where there is no `describe`.
 *
 * @example
 * ```ts
 * import { describe, expect, test } from 'vitest'
 * import { defineMock, describeContract } from 'vivarium/mock'
 *
 * interface Rates {
 *   rateOf(currency: string): Promise<number | undefined>
 * }
 * class TableOfRates implements Rates {
 *   async rateOf(currency: string): Promise<number | undefined> {
 *     return { EUR: 1, USD: 1.1 }[currency]
 *   }
 * }
 *
 * const rates = defineMock<Rates>('Rates')
 * const subjects = {
 *   real: () => new TableOfRates(),
 *   double: () => {
 *     rates.stub.rateOf(async (currency) => (currency === 'EUR' ? 1 : undefined))
 *     return rates.double
 *   },
 * }
 *
 * describeContract('Rates', subjects, (open) => {
 *   test('a currency that nobody knows has no rate', async () => {
 *     expect(await (await open()).rateOf('XXX')).toBeUndefined()
 *   })
 * }, { describe })
 * ```
 */
export function describeContract<T>(
  name: string,
  subjects: ContractSubjects<T>,
  tests: (open: () => Promise<T>, which: keyof ContractSubjects<T>) => void,
  options: DescribeContractOptions = {},
): void {
  const describe = options.describe ?? (globalThis as { describe?: DescribeBlock }).describe
  if (describe === undefined) {
    throw new VivariumError('CONFIG_INVALID', {
      what: `describeContract("${name}") has no \`describe\`: the test runner defines no global one.`,
      remedy: 'Pass the one that you import: `describeContract(name, subjects, tests, { describe })`.',
    })
  }
  for (const which of ['real', 'double'] as const) {
    describe(`${name}: the ${which === 'real' ? 'real one' : 'double'}`, () => {
      tests(async () => await subjects[which](), which)
    })
  }
}
