export interface OrderItem {
  readonly productId: number
  readonly quantity: number
  /** The price at the time of the order. */
  readonly unitPriceCents: number
}

export interface Order {
  readonly id: number
  readonly userId: number
  readonly status: 'pending' | 'paid'
  readonly totalCents: number
  /** One per product, in the order of product ids. */
  readonly items: readonly OrderItem[]
}
