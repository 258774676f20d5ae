export interface ChargeRequest {
  readonly amountCents: number
  readonly cardToken: string
  /** The provider charges once per key, however often it is asked. */
  readonly idempotencyKey: string
}

export type ChargeResult =
  | { readonly status: 'succeeded'; readonly providerId: string; readonly capturedCents: number }
  | { readonly status: 'declined'; readonly reason: string }

export interface RefundRequest {
  /** The charge to give back, whole. */
  readonly providerId: string
  readonly idempotencyKey: string
}

export type CardCheck = { readonly status: 'accepted' } | { readonly status: 'declined'; readonly reason: string }

export interface FoundCharge {
  readonly providerId: string
}

/** The payment provider. A declined card is a result; a provider that cannot be reached or fails throws. */
export interface PaymentGateway {
  /** Whether a card can be charged later on. Nothing is charged. */
  checkCard(request: { readonly cardToken: string }): Promise<CardCheck>
  charge(request: ChargeRequest): Promise<ChargeResult>
  /** The charge that was made for a key, if there is one; that of the last minute may not be found yet. */
  findCharge(request: { readonly idempotencyKey: string }): Promise<FoundCharge | undefined>
  refund(request: RefundRequest): Promise<void>
}
