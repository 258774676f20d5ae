import type { Reporter, TestModule, Vitest } from 'vitest/node'
import type { TestNotes } from './notes.ts'
import { reportRun, type ReportedTest } from './run-report.ts'
import './provided-context.ts'

/** Prints what Vivarium has to say about a run, to standard error so that no reporter's output is disturbed. */
export class RunReporter implements Reporter {
  #vitest: Vitest | undefined

  onInit(vitest: Vitest): void {
    this.#vitest = vitest
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = reportRun(modules.flatMap((module) => testsOf(module)))
    if (lines.length > 0) this.#vitest?.logger.error(`\n${lines.join('\n')}\n`)
  }
}

function testsOf(module: TestModule): ReportedTest[] {
  const tests: ReportedTest[] = []
  const add = (name: string, passed: boolean, notes: TestNotes | undefined): void => {
    if (notes !== undefined) tests.push({ name, passed, notes })
  }
  // A file's own failures are never hidden: Vitest shows them as the file's.
  add(module.relativeModuleId, false, module.meta().vivarium)
  for (const test of module.children.allTests()) {
    const passed = test.result().state === 'passed' && test.options.fails !== true
    add(`${module.relativeModuleId} > ${test.fullName}`, passed, test.meta().vivarium)
  }
  return tests
}
