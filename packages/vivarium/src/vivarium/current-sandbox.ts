import { VivariumError } from '../core/errors.ts'
import { findSandbox, runInContext } from '../core/registry.ts'
import type { Sandbox } from './sandbox.ts'

/**
 * The sandbox of this flow, else the worker's current one. Throws `NO_SANDBOX` when there is neither.
 *
 * @example
 * ```ts
 * import { Client } from 'pg'
 * import { expect, test } from 'vitest'
 * import { currentSandbox } from 'vivarium'
 *
 * test('the ping is one query', async () => {
 *   const client = new Client({ connectionString: process.env['DATABASE_URL'] })
 *   await client.connect()
 *   const seen = await currentSandbox().observe(() => client.query('select 1'))
 *   expect(seen.queries).toHaveLength(1)
 *   await client.end()
 * })
 * ```
 */
export function currentSandbox(): Sandbox {
  const sandbox = findSandbox()
  if (sandbox !== undefined) return sandbox as Sandbox
  throw new VivariumError('NO_SANDBOX', {
    what: 'No sandbox is open here.',
    remedy:
      "In Vitest, add the plugin (`plugins: [vivarium()]` from 'vivarium/vitest') and ask inside a test or a hook, not " +
      'while the file loads. Elsewhere, open one: `await vivarium.openSandbox()`.',
  })
}

/** Calls `fn` so that it, and every flow it starts, finds `sandbox` as its current one. For runner adapters. */
export function runInSandbox<T>(sandbox: Sandbox, fn: () => T): T {
  return runInContext(sandbox, fn)
}
