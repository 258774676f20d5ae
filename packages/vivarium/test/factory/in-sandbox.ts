import type { Sandbox } from '../../src/index.ts'
import type { OpenSandboxOptions } from '../../src/index.ts'
import type { OpenedVivarium } from '../support/opened.ts'

/** Runs `fn` in a sandbox of its own; fails if closing does. */
export async function inSandbox<T>(
  vivarium: OpenedVivarium,
  fn: (sandbox: Sandbox) => Promise<T>,
  options: OpenSandboxOptions = {},
): Promise<T> {
  const sandbox = await vivarium.openSandbox(options)
  let result: T
  try {
    result = await fn(sandbox)
  } catch (error) {
    // The test's own error is the one to show, not what closing then finds.
    await sandbox.close().catch(() => undefined)
    throw error
  }
  await sandbox.close()
  return result
}
