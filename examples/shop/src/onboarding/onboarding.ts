import { and, eq, gt } from 'drizzle-orm'
import { z } from 'zod'
import { users } from '../accounts/tables.ts'
import { inTransaction } from '../database.ts'
import type { Database } from '../database.ts'
import type { Mailer, OutgoingMail } from '../mail/mailer.ts'
import type { PaymentGateway } from '../payments/payment-gateway.ts'
import { newProfileSchema } from '../profiles/profile.ts'
import type { NewProfile } from '../profiles/profile.ts'
import { createProfile } from '../profiles/profiles.ts'
import { states, transitions } from './states.ts'
import type { OnboardingState, OnboardingStep, OnboardingTransition } from './states.ts'
import { takeTransition } from './take-transition.ts'
import { hashVerificationToken, newVerificationToken } from './verification-token.ts'

/** Where a user stands, and what comes next. */
export interface OnboardingStatus {
  readonly userId: number
  readonly state: OnboardingState
  readonly step: OnboardingStep
}

export type OnboardingError =
  | 'unknown_user'
  | 'step_out_of_order'
  | 'unknown_token'
  | 'expired_token'
  | 'used_token'
  | 'card_declined'

export type OnboardingResult =
  | ({ readonly ok: true } & OnboardingStatus)
  | { readonly ok: false; readonly error: OnboardingError }

export type StartResult =
  /** `mailed`: whether the mail service took the mail. If not, start again. */
  | ({ readonly ok: true; readonly mailed: boolean } & OnboardingStatus)
  | { readonly ok: false; readonly error: OnboardingError }

/** Whose turn it is. */
type Who = { readonly id: number }

/** The way of a user from registration to active, in the steps of `states.ts`. What is refused has changed nothing. */
export interface Onboarding {
  /** → `verification_pending`, and a mail "Verify your email" with a token that holds for a day. */
  startOnboarding(user: Who): Promise<StartResult>
  /** → `verified` */
  verifyEmail(token: string): Promise<OnboardingResult>
  /** → `profile_complete`. A malformed profile throws a `ZodError`. */
  setupProfile(user: Who, profile: NewProfile): Promise<OnboardingResult>
  /** → `payment_complete`, once the payment provider has accepted the card. */
  setupPayment(user: Who, card: { readonly cardToken: string }): Promise<OnboardingResult>
  /** → `active` */
  activate(user: Who): Promise<OnboardingResult>
  statusOf(user: Who): Promise<OnboardingStatus | undefined>
}

export interface OnboardingOptions {
  readonly database: Database
  readonly mailer: Mailer
  readonly gateway: PaymentGateway
  /** The address of the page where a mailed token is used. */
  readonly verificationLink: (token: string) => string
}

const tokenLifeMs = 24 * 3_600_000
const cardSchema = z.object({ cardToken: z.string().min(1) })

export function createOnboarding({ database, mailer, gateway, verificationLink }: OnboardingOptions): Onboarding {
  async function statusOf({ id }: Who): Promise<OnboardingStatus | undefined> {
    const [user] = await database.select({ state: users.onboardingState }).from(users).where(eq(users.id, id))
    return user && status(id, user.state)
  }

  /** Why a transition of this user was not taken. */
  async function refusal(user: Who): Promise<OnboardingResult & { ok: false }> {
    return { ok: false, error: (await statusOf(user)) ? 'step_out_of_order' : 'unknown_user' }
  }

  return {
    statusOf,

    async startOnboarding(user) {
      const token = newVerificationToken()
      const started = await takeTransition(database, 'startOnboarding', eq(users.id, user.id), {
        verificationHash: hashVerificationToken(token),
        verificationExpiresAt: new Date(Date.now() + tokenLifeMs),
        verificationUsedAt: null,
      })
      if (!started) return await refusal(user)

      // The mail comes last: it cannot be taken back, and a token must be good when it is read. One that is lost on the way, or
      // of which that is only believed, leaves a user who can start again, and a token that is good if it has arrived after all.
      const mailed = await mailer.send(verificationMail(started.email, verificationLink(token))).then(
        () => true,
        () => false,
      )
      return { ...taken('startOnboarding', user.id), mailed }
    },

    async verifyEmail(token) {
      const hash = hashVerificationToken(token)
      const now = new Date()
      const isGood = and(eq(users.verificationHash, hash), gt(users.verificationExpiresAt, now))!
      const verified = await takeTransition(database, 'verifyEmail', isGood, { verificationUsedAt: now })
      if (verified) return taken('verifyEmail', verified.id)

      const [owner] = await database
        .select({ usedAt: users.verificationUsedAt })
        .from(users)
        .where(eq(users.verificationHash, hash))
      if (!owner) return { ok: false, error: 'unknown_token' }
      return { ok: false, error: owner.usedAt ? 'used_token' : 'expired_token' }
    },

    async setupProfile(user, given) {
      const profile = newProfileSchema.parse(given)
      const moved = await inTransaction(database, async (tx) => {
        const mover = await takeTransition(tx, 'setupProfile', eq(users.id, user.id))
        if (mover) await createProfile(tx, mover.id, profile)
        return mover
      })
      return moved ? taken('setupProfile', moved.id) : await refusal(user)
    },

    async setupPayment(user, card) {
      const { cardToken } = cardSchema.parse(card)
      // The provider is not bothered for nothing, nor while a transaction is open: whether it was this user's turn is decided below.
      const before = await statusOf(user)
      if (before && !isFrom('setupPayment', before.state)) return { ok: false, error: 'step_out_of_order' }
      if (before && (await gateway.checkCard({ cardToken })).status === 'declined') {
        return { ok: false, error: 'card_declined' }
      }
      const moved = await takeTransition(database, 'setupPayment', eq(users.id, user.id), { cardToken })
      return moved ? taken('setupPayment', moved.id) : await refusal(user)
    },

    async activate(user) {
      const moved = await takeTransition(database, 'activate', eq(users.id, user.id))
      return moved ? taken('activate', moved.id) : await refusal(user)
    },
  }
}

function status(userId: number, state: OnboardingState): OnboardingStatus {
  return { userId, state, step: states[state].step }
}

function taken(transition: OnboardingTransition, userId: number): { ok: true } & OnboardingStatus {
  return { ok: true, ...status(userId, transitions[transition].to) }
}

function isFrom(transition: OnboardingTransition, state: OnboardingState): boolean {
  const from: readonly OnboardingState[] = transitions[transition].from
  return from.includes(state)
}

function verificationMail(to: string, link: string): OutgoingMail {
  return {
    to,
    subject: 'Verify your email',
    text: `Hello ${to},\n\nplease verify your email address within a day:\n\n${link}\n`,
  }
}
