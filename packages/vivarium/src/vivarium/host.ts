import { openTogether } from '../core/lifecycle.ts'
import { openPostgresHost, type OpenHostOptions } from '../postgres/component/host.ts'
import { openRedisHost } from '../redis/component/host.ts'
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
  const { fidelity, mail, http } = options
  return openTogether(async (opened) => {
    const [postgres, redis] = await openBoth(
      options.postgres && openPostgresHost(options.postgres, hostOptions),
      options.redis && openRedisHost(options.redis),
    )
    if (postgres !== undefined) opened.add('the Postgres run', () => postgres.close())
    if (redis !== undefined) opened.add('the Redis run', () => redis.close())
    const lost = [postgres, redis].flatMap((host) => (host === undefined ? [] : [host.lost]))
    return {
      joinInfo: { shape: 1, fidelity, mail, http, postgres: postgres?.joinInfo, redis: redis?.joinInfo },
      lost: lost.length === 0 ? new Promise(() => undefined) : Promise.race(lost),
      close: async () => {
        const failures = await opened.closeAll()
        if (failures.length === 1) throw failures[0]
        if (failures.length > 1) throw new AggregateError(failures, 'Closing the run failed')
      },
    }
  })
}

interface Closable {
  close(): Promise<void>
}

/** Servers start side by side; when one does not, the other is closed again. */
async function openBoth<A extends Closable, B extends Closable>(
  one: Promise<A> | undefined,
  other: Promise<B> | undefined,
): Promise<[A | undefined, B | undefined]> {
  const [first, second] = await Promise.allSettled([one, other])
  if (first.status === 'fulfilled' && second.status === 'fulfilled') return [first.value, second.value]
  for (const opened of [first, second]) if (opened.status === 'fulfilled') await opened.value?.close()
  throw first.status === 'rejected' ? first.reason : (second as PromiseRejectedResult).reason
}
