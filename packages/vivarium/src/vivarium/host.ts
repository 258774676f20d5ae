import { openPostgresHost, type OpenHostOptions } from '../postgres/component/host.ts'
import type { ResolvedOptions } from './config.ts'
import type { JoinInfo } from './vivarium.ts'

/** The shared part of a run, in the process that owns it. */
export interface VivariumHost {
  readonly joinInfo: JoinInfo
  /** Resolves with the reason when a server of ours ended without having been asked to. */
  readonly lost: Promise<Error>
  /** Closes everything, even when a part fails. */
  close(): Promise<void>
}

/** Opens what all workers of a run share. For runner adapters; a worker takes part with `joinVivarium(joinInfo)`. */
export async function openVivariumHost(
  options: ResolvedOptions,
  hostOptions: OpenHostOptions = {},
): Promise<VivariumHost> {
  // Nothing of mail or HTTP is shared: each worker has a server of its own.
  const joinInfo: JoinInfo = { shape: 1, fidelity: options.fidelity, mail: options.mail, http: options.http }
  if (options.postgres === undefined) {
    return { joinInfo, lost: new Promise(() => undefined), close: async () => undefined }
  }
  const postgres = await openPostgresHost(options.postgres, hostOptions)
  return {
    joinInfo: { ...joinInfo, postgres: postgres.joinInfo },
    lost: postgres.lost,
    close: () => postgres.close(),
  }
}
