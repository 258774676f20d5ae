import { ConnectionBudget } from '../connection/connection-budget.ts'
import type { Lease } from '../leases/lease.ts'
import { Session } from './session.ts'
import { readTemplateFacts } from './template-facts.ts'
import type { TemplateFacts } from './template-facts.ts'
import { World } from './world.ts'
import type { WaitOptions } from './world.ts'

/**
 * What our session starts with. RESET ALL goes back to these, so they stay whatever the application does.
 * `default_transaction_read_only` is the guard: should our transaction ever be lost, a stray write fails with 25006
 * instead of committing.
 */
const sessionParameters: Readonly<Record<string, string>> = {
  default_transaction_read_only: 'on',
  idle_in_transaction_session_timeout: '0',
}

/** Reads a template's facts from a leased clone. */
export async function readFacts(lease: Lease): Promise<TemplateFacts> {
  const { world, facts } = await openWorld(lease, { waitMs: 0, budget: new ConnectionBudget(1) })
  await world.session.close()
  return facts
}

/** Options of {@link openWorld}. */
export interface OpenWorldOptions extends WaitOptions {
  readonly budget: ConnectionBudget
  /** Read from the first clone and shared by the others. */
  readonly facts?: TemplateFacts
}

/** Opens the real session on a leased clone. */
export async function openWorld(
  lease: Lease,
  { budget, facts, ...waits }: OpenWorldOptions,
): Promise<{ world: World; facts: TemplateFacts }> {
  const connection = await budget.open(
    { ...lease.target, parameters: { ...lease.target.parameters, ...sessionParameters } },
    { title: 'the session of a sandbox' },
  )
  const session = new Session(connection)
  if (!lease.fresh) await session.query(`BEGIN READ WRITE; ${lease.resetSequences}; COMMIT`)
  const known = facts ?? (await readTemplateFacts(session))
  return { world: new World({ lease, session, facts: known, ...waits }), facts: known }
}
