import type { Database } from '../database.ts'
import { changeAttempt } from './attempts.ts'
import type { PaymentGateway } from './payment-gateway.ts'

/** Refunds the charge of an abandoned attempt. Asked twice, the provider refunds once. */
export async function giveBack(
  { database, gateway }: { database: Database; gateway: PaymentGateway },
  { idempotencyKey, providerId }: { idempotencyKey: string; providerId: string },
): Promise<void> {
  await gateway.refund({ providerId, idempotencyKey: `${idempotencyKey}:refund` })
  await changeAttempt(database, idempotencyKey, 'refund')
}
