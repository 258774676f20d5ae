import { afterAll } from 'vitest'
import { SandboxFailures, type VivariumError } from '../../src/core/errors.ts'
import { openVivarium } from '../../src/vivarium/open-vivarium.ts'
import { runInSandbox } from '../../src/vivarium/current-sandbox.ts'
import type { ComposedSandbox } from '../../src/vivarium/sandbox.ts'
import type { JoinedVivarium } from '../../src/vivarium/vivarium.ts'

/** How one sandbox went. */
export interface SandboxOutcome {
  /** What was thrown out of its work. */
  readonly thrown: unknown
  /** What closing it reported. */
  readonly failures: readonly VivariumError[]
}

/** Sandboxes without a database, opened where a runner adapter would open them. */
export interface Sandboxes {
  /** Runs `work` in a sandbox of its own, closes that and tells how both went. */
  run(
    work: (sandbox: ComposedSandbox) => unknown,
    options?: { title?: string; around?: ComposedSandbox },
  ): Promise<SandboxOutcome>
  /** The same for work that goes well: what it throws is thrown, and so is what closing reports. */
  pass(work: (sandbox: ComposedSandbox) => unknown): Promise<void>
  open(options: { title: string; around?: ComposedSandbox }): Promise<ComposedSandbox>
}

/** For all tests of one file. */
export async function useSandboxes(): Promise<Sandboxes> {
  const vivarium = (await openVivarium({})) as JoinedVivarium
  afterAll(() => vivarium.close())
  const open: Sandboxes['open'] = (options) => vivarium.openSandbox({ ...options, concurrent: true })
  const run: Sandboxes['run'] = async (work, { title = 'a test', around } = {}) => {
    const sandbox = await open(around === undefined ? { title } : { title, around })
    const [ran] = await Promise.allSettled([runInSandbox(sandbox, async () => await work(sandbox))])
    return { thrown: ran.status === 'rejected' ? ran.reason : undefined, failures: await failuresOf(sandbox) }
  }
  return {
    open,
    run,
    pass: async (work) => {
      const { thrown, failures } = await run(work)
      // The assertion's own error is the one to show.
      if (thrown !== undefined) throw thrown as Error
      if (failures.length > 0) throw new SandboxFailures('a test', failures)
    },
  }
}

/** Closes a sandbox and tells what that reported. */
export async function failuresOf(sandbox: ComposedSandbox): Promise<readonly VivariumError[]> {
  const error: unknown = await sandbox.close().catch((caught: unknown) => caught)
  if (error === undefined) return []
  if (error instanceof SandboxFailures) return error.errors as VivariumError[]
  throw new Error('closing failed in another way', { cause: error })
}

/** Codes of failures, in order, of a sandbox whose work itself went well. */
export function codesOf({ thrown, failures }: SandboxOutcome): readonly string[] {
  if (thrown !== undefined) throw new Error('the work in the sandbox threw', { cause: thrown })
  return failures.map(({ code }) => code)
}
