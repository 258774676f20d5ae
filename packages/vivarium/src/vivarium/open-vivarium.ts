import { openTogether } from '../core/lifecycle.ts'
import { type ResolvedOptions, resolveOptions, type VivariumOptions } from './config.ts'
import { joinPostgres } from '../postgres/component/worker.ts'
import { JoinedVivarium, type JoinInfo, refuseDatabaseIsolation, type Vivarium } from './vivarium.ts'

/** The shared part of a run, in the process that owns it. */
export interface VivariumHost {
  readonly joinInfo: JoinInfo
  /** Closes everything, even when a part fails. */
  close(): Promise<void>
}

/** Opens what all workers of a run share. For runner adapters; a worker takes part with `joinVivarium(joinInfo)`. */
export async function openVivariumHost(options: ResolvedOptions): Promise<VivariumHost> {
  if (options.postgres === undefined) return { joinInfo: { shape: 1 }, close: async () => undefined }
  refuseDatabaseIsolation(options.postgres.isolation)
  // Loaded here, not above: a worker that imports `currentSandbox` has no use for a server's launcher.
  const { openPostgresHost } = await import('../postgres/component/host.ts')
  const postgres = await openPostgresHost(options.postgres)
  return { joinInfo: { shape: 1, postgres: postgres.joinInfo }, close: () => postgres.close() }
}

/**
 * Opens a vivarium: finds or starts the servers, builds the template, opens this process's gateway. Relative paths in
 * the options start at the working directory. When a step fails, what was opened before it is closed again.
 *
 * @example
 * ```ts
 * const vivarium = await openVivarium({ postgres: { migrations: './migrations' } })
 * process.env.DATABASE_URL = vivarium.postgres.url
 * const sandbox = await vivarium.openSandbox()
 * // … the application does its work …
 * await sandbox.close()
 * await vivarium.close()
 * ```
 */
export function openVivarium(options: VivariumOptions = {}): Promise<Vivarium> {
  return openTogether(async (opened) => {
    const resolved = resolveOptions(options, {
      source: 'openVivarium(options)',
      folder: process.cwd(),
      environment: process.env,
    })
    const host = await openVivariumHost(resolved)
    opened.add('the run', () => host.close())
    const { postgres: info } = host.joinInfo
    const postgres = info && (await joinPostgres(info))
    if (postgres !== undefined) opened.add('the Postgres gateway', () => postgres.close())
    return new JoinedVivarium(host.joinInfo, { postgres, opened })
  })
}
