import { and, inArray } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { users } from '../accounts/tables.ts'
import type { Queryable } from '../database.ts'
import { transitions } from './states.ts'
import type { OnboardingTransition } from './states.ts'

/**
 * Takes a transition, with what else changes of the user; resolves to whose it was, or to `undefined` when nobody whom `who` means
 * is in a state for it. The states are looked at by the UPDATE that leaves them: of two at the same moment the second finds a
 * user who has moved on.
 */
export async function takeTransition(
  database: Queryable,
  transition: OnboardingTransition,
  who: SQL,
  changes: Partial<typeof users.$inferInsert> = {},
): Promise<{ id: number; email: string } | undefined> {
  const { from, to } = transitions[transition]
  const [moved] = await database
    .update(users)
    .set({ ...changes, onboardingState: to })
    .where(and(who, inArray(users.onboardingState, [...from])))
    .returning({ id: users.id, email: users.email })
  return moved
}
