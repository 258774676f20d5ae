import { openTogether } from '../core/lifecycle.ts'
import { type ResolvedOptions, resolveOptions, type VivariumOptions } from './config.ts'
import type { Vivarium } from './vivarium.ts'

/**
 * Opens a vivarium: finds or starts the servers, builds the template, opens this process's gateway. Relative paths in
 * the options start at the working directory. When a step fails, what was opened before it is closed again.
 *
 * @example
 * ```ts
 * import { openVivarium } from 'vivarium'
 *
 * const vivarium = await openVivarium({ postgres: { migrations: './migrations' } })
 * process.env['DATABASE_URL'] = vivarium.postgres.url
 * const sandbox = await vivarium.openSandbox()
 * // … the application does its work …
 * await sandbox.close()
 * await vivarium.close()
 * ```
 */
export async function openVivarium(options: VivariumOptions = {}): Promise<Vivarium> {
  return openResolved(
    resolveOptions(options, { source: 'openVivarium(options)', folder: process.cwd(), environment: process.env }),
  )
}

/** Opens a vivarium by options that have been checked, wherever they came from. */
export async function openResolved(resolved: ResolvedOptions): Promise<Vivarium> {
  // Loaded here, not above: a test file that imports `currentSandbox` loads this module too, and none of what follows.
  const { joinComponents, JoinedVivarium, openVivariumHost } = await import('./runtime.ts')
  return openTogether(async (opened) => {
    const host = await openVivariumHost(resolved)
    opened.add('the run', () => host.close())
    const parts = await joinComponents(host.joinInfo, opened)
    await parts.postgres?.ready
    return new JoinedVivarium(host.joinInfo, { ...parts, opened, lost: host.lost })
  })
}
