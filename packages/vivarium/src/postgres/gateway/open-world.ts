import { openBackendConnection } from '../connection/backend-connection.ts'
import type { Lease } from '../leases/lease.ts'
import { Session } from './session.ts'
import { readTemplateFacts } from './template-facts.ts'
import type { TemplateFacts } from './template-facts.ts'
import { World } from './world.ts'

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
  const { world, facts } = await openWorld(lease, 0)
  await world.session.close()
  return facts
}

/** Opens the real session on a leased clone. `facts` are read from the first clone and shared by the others. */
export async function openWorld(
  lease: Lease,
  waitMs: number,
  facts?: TemplateFacts,
): Promise<{ world: World; facts: TemplateFacts }> {
  const connection = await openBackendConnection({
    ...lease.target,
    parameters: { ...lease.target.parameters, ...sessionParameters },
  })
  const session = new Session(connection)
  if (!lease.fresh) await session.query(`BEGIN READ WRITE; ${lease.resetSequences}; COMMIT`)
  const known = facts ?? (await readTemplateFacts(session))
  return { world: new World({ lease, session, facts: known, waitMs }), facts: known }
}
