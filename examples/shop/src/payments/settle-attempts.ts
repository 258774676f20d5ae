import type { Database } from '../database.ts'
import type { Report } from '../report.ts'
import { changeAttempt, unfinishedAttempts } from './attempts.ts'
import { giveBack } from './give-back.ts'
import type { PaymentGateway } from './payment-gateway.ts'

export interface SettledAttempts {
  /** Charges that were given back. */
  readonly refunded: number
  /** Attempts that turned out to have charged nothing. */
  readonly void: number
  /** Attempts that have to be looked at again. */
  readonly failed: number
}

/**
 * Finds out what became of attempts that nobody has finished: the provider did not answer, or the process ended, or a refund failed. Whatever
 * they charged is given back. May run at any time and in several instances at once: each change is made once, and a refund
 * has a key.
 */
export async function settleAttempts(
  { database, gateway, report }: { database: Database; gateway: PaymentGateway; report: Report },
  noLaterThan: Date,
): Promise<SettledAttempts> {
  const settled = { refunded: 0, void: 0, failed: 0 }
  for (const { idempotencyKey, status } of await unfinishedAttempts(database, noLaterThan)) {
    try {
      // Its transaction may still be running: then this waits for it, or keeps it from being committed.
      if (status === 'open' && !(await changeAttempt(database, idempotencyKey, 'abandon'))) continue
      const charge = await gateway.findCharge({ idempotencyKey })
      if (charge) await giveBack({ database, gateway }, { idempotencyKey, ...charge })
      else await changeAttempt(database, idempotencyKey, 'findNothing')
      settled[charge ? 'refunded' : 'void'] += 1
    } catch (error) {
      report(`Payment attempt ${idempotencyKey} could not be settled`, error)
      settled.failed += 1
    }
  }
  return settled
}
