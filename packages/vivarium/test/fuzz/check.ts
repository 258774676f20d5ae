import fc from 'fast-check'

/** How many cases, and which. */
export interface FuzzRun {
  readonly runs: number
  readonly seed: number
  /** Path of a failure that was found before. */
  readonly path?: string | undefined
}

/** What was wrong with a case: how it reads, and the first thing that was not as it should be. */
export interface Trouble {
  readonly lines: readonly string[]
  readonly difference: string
}

/** The smallest case that fails. */
export interface Finding extends Trouble {
  readonly seed: number
  readonly path: string
}

/** How a fuzz went: how many cases ran until the first one failed, or all. */
export interface FuzzResult {
  readonly runs: number
  readonly finding: Finding | undefined
}

/** Tries cases until one has trouble, and then makes that one small. */
export async function check<T>(
  { runs, seed, path }: FuzzRun,
  cases: fc.Arbitrary<T>,
  tryOut: (value: T) => Promise<Trouble | undefined>,
): Promise<FuzzResult> {
  let last: Trouble | undefined
  let thrown: Error | undefined
  const property = fc.asyncProperty(cases, async (value) => {
    const trouble = await tryOut(value).catch((error: unknown) => {
      thrown ??= error instanceof Error ? error : new Error(String(error))
    })
    last = trouble ?? last
    return trouble === undefined && thrown === undefined
  })
  const details = await fc.check(property, { numRuns: runs, seed, ...(path === undefined ? {} : { path }) })
  if (!details.failed) return { runs: details.numRuns, finding: undefined }
  // Something threw where nothing may: a defect of the fuzz, or of what it cannot describe.
  if (thrown !== undefined) throw thrown
  if (last === undefined) throw new Error('a case failed without trouble')
  // The last one that failed is the smallest.
  const finding = { ...last, seed: details.seed, path: details.counterexamplePath ?? '' }
  return { runs: details.numRuns, finding }
}

/** What to read, and the command that plays exactly this case again. */
export function renderFinding(kind: string, { runs, finding }: FuzzResult): string {
  if (finding === undefined) return `${kind}: nothing found in ${runs} cases`
  const { lines, difference, seed, path } = finding
  return [
    `${kind}: found by case ${runs}. The smallest that fails:`,
    ...lines.map((line) => `    ${line}`),
    ...difference.split('\n').map((line) => `  ${line}`),
    `Again: npm run fuzz -- --only ${kind} --seed ${seed} --path ${path}`,
  ].join('\n')
}
