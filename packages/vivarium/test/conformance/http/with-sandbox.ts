import { afterAll, beforeAll } from 'vitest'
import {
  openVivarium,
  type OpenSandboxOptions,
  type Sandbox,
  SandboxFailures,
  type Vivarium,
} from '../../../src/index.ts'
import { runInSandbox } from '../../../src/vivarium/current-sandbox.ts'

/** A test's sandbox, as a runner gives it, and what its close reported. */
export interface Ended {
  readonly sandbox: Sandbox
  /** The messages of everything that broke, positions in files made plain. */
  readonly failures: readonly string[]
  readonly errors: readonly unknown[]
}

/** Runs what a test would do in a sandbox of its own. */
export type InSandbox = (test: () => Promise<unknown> | void, options?: OpenSandboxOptions) => Promise<Ended>

/** One vivarium for the file, without any server. */
export function withSandbox(): { run: InSandbox; vivarium: () => Vivarium } {
  let vivarium: Vivarium
  beforeAll(async () => {
    vivarium = await openVivarium()
  })
  afterAll(() => vivarium.close())
  return {
    vivarium: () => vivarium,
    run: async (test, options) => {
      const sandbox = await vivarium.openSandbox({ title: 'the test', ...options })
      const [ran] = await Promise.allSettled([runInSandbox(sandbox, async () => test())])
      const closing = await sandbox.close().catch((error: unknown) => error)
      const errors = closing instanceof SandboxFailures ? closing.errors : []
      if (ran.status === 'rejected') throw ran.reason
      return { sandbox, errors, failures: errors.map((error) => plain((error as Error).message)) }
    },
  }
}

/** A message without what changes from place to place. */
function plain(message: string): string {
  return message.replaceAll(/[\w/.-]+\.ts:\d+:\d+/g, '<file>:<line>')
}
