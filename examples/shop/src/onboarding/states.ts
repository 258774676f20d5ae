/** Every state of a user, and the step that comes next in it. */
export const states = {
  registered: { step: 'not_started' },
  verification_pending: { step: 'email_verification' },
  verified: { step: 'profile_setup' },
  profile_complete: { step: 'payment_setup' },
  payment_complete: { step: 'complete' },
  active: { step: 'complete' },
} as const

export type OnboardingState = keyof typeof states
export type OnboardingStep = (typeof states)[OnboardingState]['step']

/** Every transition: the states from which it is taken, and the one that it leads to. From all others it is refused. */
export const transitions = {
  // Again while it is pending: a mail may be lost, or its token expire. The new token replaces the old one.
  startOnboarding: { from: ['registered', 'verification_pending'], to: 'verification_pending' },
  verifyEmail: { from: ['verification_pending'], to: 'verified' },
  setupProfile: { from: ['verified'], to: 'profile_complete' },
  setupPayment: { from: ['profile_complete'], to: 'payment_complete' },
  activate: { from: ['payment_complete'], to: 'active' },
} as const satisfies Record<string, { from: readonly OnboardingState[]; to: OnboardingState }>

export type OnboardingTransition = keyof typeof transitions
