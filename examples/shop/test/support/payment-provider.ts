import type { ChargeRequest, ChargeResult, PaymentGateway, RefundRequest } from '../../src/payments/payment-gateway.ts'

type Answer = (request: ChargeRequest, chargeNumber: number) => ChargeResult

const capture: Answer = ({ amountCents }, chargeNumber) => ({
  status: 'succeeded',
  providerId: `ch_${chargeNumber}`,
  capturedCents: amountCents,
})

/** Stands in for the payment provider: takes every card until told otherwise, and remembers what it was asked for. */
export class PaymentProvider implements PaymentGateway {
  readonly charges: ChargeRequest[] = []
  readonly refunds: RefundRequest[] = []
  #answer: Answer = capture
  #refundFailure: Error | undefined

  async charge(request: ChargeRequest): Promise<ChargeResult> {
    this.charges.push(request)
    return this.#answer(request, this.charges.length)
  }

  async refund(request: RefundRequest): Promise<void> {
    this.refunds.push(request)
    if (this.#refundFailure) throw this.#refundFailure
  }

  declineCards(): void {
    this.#answer = () => ({ status: 'declined', reason: 'insufficient_funds' })
  }

  /** As with a prepaid card that holds less than was asked for. */
  captureOnly(cents: number): void {
    this.#answer = (request, chargeNumber) => capture({ ...request, amountCents: cents }, chargeNumber)
  }

  failCharges(failure: Error): void {
    this.#answer = () => {
      throw failure
    }
  }

  failRefunds(failure: Error): void {
    this.#refundFailure = failure
  }

  /** As new: nothing remembered, every card taken. */
  reset(): void {
    this.charges.length = 0
    this.refunds.length = 0
    this.#answer = capture
    this.#refundFailure = undefined
  }
}
