import type { GeneratedSuite } from './generate.ts'
import { timeVitest } from './time-vitest.ts'
import type { SuiteVariant } from './variants.ts'

/** Runs the generated suite once; see {@link timeVitest}. */
export function runSuite(suite: GeneratedSuite, variant: SuiteVariant): Promise<number> {
  const { folder, tests } = suite
  return timeVitest({ name: variant, folder, config: suite.configFile(variant), tests })
}
