import { openPostgresHost } from '../postgres/component/host.ts'
import type { ResolvedOptions } from './config.ts'
import { type JoinInfo, refuseDatabaseIsolation } from './vivarium.ts'

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
  const postgres = await openPostgresHost(options.postgres)
  return { joinInfo: { shape: 1, postgres: postgres.joinInfo }, close: () => postgres.close() }
}
