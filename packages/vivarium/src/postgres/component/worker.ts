import { openTogether } from '../../core/lifecycle.ts'
import type { Isolation } from '../../core/options.ts'
import type { OpenPostgresSandboxOptions, PostgresSandbox, StableRefusal } from '../gateway/gateway-types.ts'
import { ConnectionBudget } from '../connection/connection-budget.ts'
import { openGateway } from '../gateway/gateway.ts'
import type { TemplateFacts } from '../gateway/template-facts.ts'
import { makeLeasePool } from '../leases/lease-pool.ts'
import type { RunIdentity } from '../leases/run-identity.ts'
import type { ConnectionShare } from './connection-share.ts'

/** What a worker needs to join the Postgres part of a run. Plain JSON. */
export interface PostgresJoinInfo {
  readonly run: RunIdentity
  /** The plain server, with nothing sandboxed. */
  readonly serverUrl: string
  /** The environment variable that the application reads its URL from. */
  readonly env: string
  readonly isolation: Isolation
  readonly waitMs?: number
  readonly connections: ConnectionShare
  /** How many databases for isolation `'database'` are kept ready at most. */
  readonly warmClones?: number
  readonly nestAfterMs?: number
  /** What every clone has in common, where the host has read it. */
  readonly facts?: TemplateFacts
}

/** Postgres as one process of a run sees it. */
export interface PostgresPart {
  /** The stable URL: follows this process's current sandbox. */
  readonly url: string
  readonly serverUrl: string
  /** Resolves when the first database is there. A sandbox waits for it, and says what went wrong, by itself. */
  readonly ready: Promise<void>
  openSandbox(options: OpenPostgresSandboxOptions): Promise<PostgresSandbox>
  /** Until the returned function is called, the stable URL answers every unit of work with this refusal. */
  refuseStable(refusal: StableRefusal): () => void
  /** Rejects with an `AggregateError` of everything that failed. */
  close(): Promise<void>
}

/**
 * Opens this process's gateway and its pool of leased databases. Resolves when the URL may be given out, so that a worker
 * loads its tests while the first database is being leased.
 */
export function joinPostgres(info: PostgresJoinInfo): Promise<PostgresPart> {
  return openTogether(async (opened) => {
    const leases = makeLeasePool(info.run, {
      warmClones: info.warmClones,
      cloneConnections: info.connections.clones,
    })
    opened.add('the leases', () => leases.close())
    const gateway = await openGateway({
      leases,
      application: info.run.application,
      budget: new ConnectionBudget(info.connections.sandboxes),
      waitMs: info.waitMs,
      nestAfterMs: info.nestAfterMs,
      facts: info.facts,
    })
    opened.add('the gateway', () => gateway.close())
    return {
      url: gateway.url,
      serverUrl: info.serverUrl,
      ready: gateway.ready,
      openSandbox: (options) => gateway.openSandbox(options),
      refuseStable: (refusal) => gateway.refuseStable(refusal),
      close: async () => {
        const failures = await opened.closeAll()
        if (failures.length > 0) throw new AggregateError(failures, 'Closing the Postgres gateway failed')
      },
    }
  })
}
