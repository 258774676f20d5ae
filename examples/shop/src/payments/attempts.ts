import { randomUUID } from 'node:crypto'
import { and, asc, eq, inArray, lte } from 'drizzle-orm'
import type { Database, Queryable, Transaction } from '../database.ts'
import { paymentAttempts } from './tables.ts'

/**
 * An attempt is `open` while its transaction runs, and from then on one of
 * - `settled`: the charge has its payment, which was committed together with this;
 * - `void`: nothing was charged;
 * - `abandoned`: the transaction failed, and there may be a charge, which then has to be given back: `refunded`, or else `void`.
 */
export type AttemptStatus = 'open' | 'settled' | 'abandoned' | 'void' | 'refunded'

/** Every change of an attempt. The UPDATE that makes it looks at where it comes from, so that of two at once one is made. */
const changes = {
  settle: { from: ['open'], to: 'settled' },
  abandon: { from: ['open'], to: 'abandoned' },
  cancel: { from: ['open'], to: 'void' },
  findNothing: { from: ['abandoned'], to: 'void' },
  // Also a charge that came after it had been looked for in vain.
  refund: { from: ['abandoned', 'void'], to: 'refunded' },
} as const satisfies Record<string, { from: readonly AttemptStatus[]; to: AttemptStatus }>

/** Notes an attempt, for all to see: not within a transaction that may be rolled back. Resolves to its idempotency key. */
export async function noteAttempt(database: Database): Promise<string> {
  const idempotencyKey = randomUUID()
  await database.insert(paymentAttempts).values({ idempotencyKey, status: 'open', createdAt: new Date() })
  return idempotencyKey
}

/** Makes a change; `false` when the attempt is not where the change begins. */
export async function changeAttempt(
  database: Queryable | Transaction,
  idempotencyKey: string,
  change: keyof typeof changes,
): Promise<boolean> {
  const { from, to } = changes[change]
  const changed = await database
    .update(paymentAttempts)
    .set({ status: to })
    .where(and(eq(paymentAttempts.idempotencyKey, idempotencyKey), inArray(paymentAttempts.status, [...from])))
  return changed.rowCount === 1
}

/** Whether the attempt has its payment. */
export async function isSettled(database: Database, idempotencyKey: string): Promise<boolean> {
  const [attempt] = await database
    .select({ status: paymentAttempts.status })
    .from(paymentAttempts)
    .where(eq(paymentAttempts.idempotencyKey, idempotencyKey))
  return attempt?.status === 'settled'
}

export interface UnfinishedAttempt {
  readonly idempotencyKey: string
  readonly status: 'open' | 'abandoned'
}

/** The oldest attempts of which nobody knows yet what became of them. */
export async function unfinishedAttempts(database: Database, noLaterThan: Date): Promise<UnfinishedAttempt[]> {
  const found = await database
    .select({ idempotencyKey: paymentAttempts.idempotencyKey, status: paymentAttempts.status })
    .from(paymentAttempts)
    .where(and(inArray(paymentAttempts.status, ['open', 'abandoned']), lte(paymentAttempts.createdAt, noLaterThan)))
    .orderBy(asc(paymentAttempts.createdAt))
    .limit(100)
  return found as UnfinishedAttempt[]
}
