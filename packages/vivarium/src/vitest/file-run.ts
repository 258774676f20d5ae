import { SandboxFailures, VivariumError } from '../core/errors.ts'
import type { Isolation } from '../core/options.ts'
import { runInSandbox } from '../vivarium/current-sandbox.ts'
import { closingFailures, type ComposedSandbox } from '../vivarium/sandbox.ts'
import { stableUrlAmbiguous, type JoinedVivarium } from '../vivarium/vivarium.ts'
import { taggedIsolation } from './isolation-tags.ts'
import { addNotes, type TestNotes } from './notes.ts'

/** What is used of a Vitest suite. */
export interface RunnerSuite {
  readonly name: string
  readonly concurrent?: boolean
  readonly suite?: RunnerSuite
  /** Its own and those of what is around it. */
  readonly tags?: readonly string[]
  readonly meta: { vivarium?: TestNotes }
}

/** What is used of a Vitest test. */
export interface RunnerTest extends RunnerSuite {
  readonly fullTestName?: string
  readonly fails?: boolean
  readonly result?: { readonly state: string; readonly retryCount?: number }
}

/** A failure of Vivarium's own in a test, which Vitest may or may not let through. */
interface TestFailure {
  readonly test: RunnerTest
  readonly errors: readonly unknown[]
}

/** The sandboxes of one test file: one around everything, and in it one for each attempt of each test. */
export class FileRun {
  readonly #vivarium: JoinedVivarium
  readonly #failures: TestFailure[] = []
  /** Concurrent tests during which the stable URL was used: the application may have swallowed the refusal. */
  readonly #refused: Set<RunnerTest> = new Set()
  readonly #allowStable: Map<RunnerTest, () => void> = new Map()
  #file: ComposedSandbox | undefined

  constructor(vivarium: JoinedVivarium) {
    this.#vivarium = vivarium
  }

  /** Runs the whole file, its `beforeAll` and `afterAll` included, in the file's sandbox. */
  async aroundFile(suite: RunnerSuite, run: () => Promise<void>): Promise<void> {
    const file = await this.#vivarium.openSandbox({ title: suite.name, isolation: taggedIsolation(suite.tags) })
    this.#file = file
    const [ran] = await Promise.allSettled([runInSandbox(file, run)])
    const errors = [...this.#swallowed(), ...this.#refusedInSilence(), ...(await closingFailures(file))]
    suite.meta.vivarium = addNotes(suite.meta.vivarium, file, errors)
    if (errors.length > 0) throw new SandboxFailures(suite.name, errors)
    if (ran.status === 'rejected') throw ran.reason
  }

  /** Runs one attempt of one test, its `beforeEach` and `afterEach` included, in a sandbox of its own. */
  async aroundTest(test: RunnerTest, run: () => Promise<void>): Promise<void> {
    const concurrent = runsConcurrently(test)
    let sandbox: ComposedSandbox
    try {
      sandbox = await this.#open(test, concurrent)
    } catch (error) {
      this.#allowStable.get(test)?.()
      this.#failures.push({ test, errors: [error] })
      throw error
    }
    const [ran] = await Promise.allSettled([runInSandbox(sandbox, run)])
    const errors = await this.#close(test, sandbox, concurrent)
    test.meta.vivarium = addNotes(test.meta.vivarium, sandbox, errors)
    if (errors.length > 0) {
      this.#failures.push({ test, errors })
      throw new SandboxFailures(titleOf(test), errors)
    }
    if (ran.status === 'rejected') throw ran.reason
  }

  async #open(test: RunnerTest, concurrent: boolean): Promise<ComposedSandbox> {
    if (concurrent) {
      this.#allowStable.set(
        test,
        this.#vivarium.refuseStableUrl(() => this.#refused.add(test)),
      )
    }
    // The tags of a file are those of its tests as well: without one both have the run's isolation.
    const isolation = taggedIsolation(test.tags) ?? this.#file?.isolation
    const within = this.#around(concurrent, isolation)
    return this.#vivarium.openSandbox({ title: titleOf(test), isolation, concurrent, within, around: this.#file })
  }

  /** What a test nests in: the file, unless they run at once and only one of them could work in its transaction. */
  #around(concurrent: boolean, isolation: Isolation | undefined): ComposedSandbox | undefined {
    const copies = isolation === 'database' && this.#file?.isolation === 'database'
    return concurrent && !copies ? undefined : this.#file
  }

  async #close(test: RunnerTest, sandbox: ComposedSandbox, concurrent: boolean): Promise<readonly unknown[]> {
    const errors = await closingFailures(sandbox)
    this.#allowStable.get(test)?.()
    const hasItsWork = this.#around(concurrent, sandbox.isolation) !== undefined
    const missing = hasItsWork || sandbox.queries.length === 0 ? undefined : this.#file?.firstChange
    return missing ? [...errors, fileWorkNotShared(titleOf(test), missing)] : errors
  }

  /** The refusals of the stable URL, when not one of the tests that may have caused them failed. */
  #refusedInSilence(): readonly unknown[] {
    const tests = [...this.#refused]
    if (tests.length === 0 || tests.some(({ result }) => result?.state === 'fail')) return []
    const { what, remedy } = stableUrlAmbiguous
    const titles = tests.map((test) => `"${titleOf(test)}"`).join(', ')
    return [new VivariumError('STABLE_URL_AMBIGUOUS', { what, seen: `while these ran: ${titles}`, remedy })]
  }

  /**
   * Failures that nobody would see: Vitest turns them into a success under `test.fails`, and forgets them when the test
   * skips itself. What a retry hid is the retry's purpose; it is reported at the end of the run, and does not fail it.
   */
  #swallowed(): readonly unknown[] {
    return this.#failures.flatMap(({ test, errors }) => {
      const { state, retryCount = 0 } = test.result ?? { state: 'unknown' }
      if (state === 'fail' || (state === 'pass' && !test.fails && retryCount > 0)) return []
      return errors.map((error) => swallowed(test, error))
    })
  }
}

/** Vitest runs it beside others: it says so itself, or a suite around it does. */
function runsConcurrently(test: RunnerSuite): boolean {
  return test.concurrent === true || (test.suite !== undefined && runsConcurrently(test.suite))
}

function titleOf(test: RunnerTest): string {
  return test.fullTestName ?? test.name
}

function swallowed(test: RunnerTest, error: unknown): VivariumError {
  const passed = test.fails ? 'is expected to fail (test.fails), but not in this way' : 'did not report it'
  return new VivariumError('TEST_BROKE_PROMISE', {
    what: `Test "${titleOf(test)}" broke a promise of its sandbox and ${passed}.`,
    seen: error instanceof Error ? error.message : String(error),
    remedy:
      'Repair what is seen here. `test.fails` is about the assertions of a test, not about what it leaves behind.',
    cause: error,
  })
}

function fileWorkNotShared(title: string, text: string): VivariumError {
  return new VivariumError('FILE_WORK_NOT_SHARED', {
    what: `Concurrent test "${title}" used its own database, which has nothing of what its file did before.`,
    seen: `the file's beforeAll, or a hook around its tests, ran: ${text.trim()}`,
    remedy:
      'Do that work inside the test, or in beforeEach, through the URL of its own sandbox; or run the test alone ' +
      "(without .concurrent), or the whole file in isolation 'database' (`// @module-tag isolation/database`): then it sees " +
      'what beforeAll did.',
  })
}
