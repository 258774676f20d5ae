// What is answered. These are also what keeps everything else in: a user's card token and password hash have no field here.
import { z } from 'zod'
import { states } from '../onboarding/states.ts'
import type { OnboardingState, OnboardingStep } from '../onboarding/states.ts'

export const userSchema = z.object({ id: z.int32(), email: z.string() })

export const productSchema = z.object({ id: z.int32(), name: z.string(), priceCents: z.int32() })

export const orderSchema = z.object({
  id: z.int32(),
  status: z.enum(['pending', 'paid']),
  totalCents: z.int32(),
  items: z.array(z.object({ productId: z.int32(), quantity: z.int32(), unitPriceCents: z.int32() })).readonly(),
})

export const profileSchema = z.object({
  id: z.int32(),
  userId: z.int32(),
  firstName: z.string(),
  lastName: z.string(),
  bio: z.string(),
})

const steps = Object.values(states).map(({ step }) => step)

export const onboardingSchema = z.object({
  state: z.enum(Object.keys(states) as [OnboardingState]),
  /** What comes next. */
  step: z.enum([...new Set(steps)] as [OnboardingStep]),
})
