import type { Customer, StockedProduct } from './stock.ts'

export interface RaceOptions {
  readonly url: string
  readonly products: readonly StockedProduct[]
  readonly customers: readonly Customer[]
  /** How many orders are tried in all. */
  readonly orders: number
  /** When it ends, at the latest. */
  readonly seconds: number
}

export interface RaceOutcome {
  /** The ids of the orders that were answered as paid. */
  readonly paid: readonly number[]
  /** How often each other answer was given, by its name. */
  readonly refused: ReadonlyMap<string, number>
  /** Orders whose customer did not wait for the answer: whether they were placed is for the books to say. */
  readonly abandoned: number
  /** Of the orders that were answered, in milliseconds, in ascending order. */
  readonly durationsMs: readonly number[]
  readonly elapsedMs: number
}

interface OrderAnswer {
  readonly order?: { readonly id: number }
  readonly error?: string
}

/** Every twentieth order is given up by its customer after so many milliseconds at most. */
const patienceMs = 40

/** All customers order at once, each one order after the other, until the orders or the time are used up. */
export async function race({ url, products, customers, orders, seconds }: RaceOptions): Promise<RaceOutcome> {
  const paid: number[] = []
  const refused = new Map<string, number>()
  const durationsMs: number[] = []
  let abandoned = 0
  let tried = 0
  const started = performance.now()

  async function order({ token }: Customer): Promise<void> {
    const asked = performance.now()
    const gives = Math.random() < 0.05 ? { signal: AbortSignal.timeout(Math.ceil(Math.random() * patienceMs)) } : {}
    try {
      const response = await fetch(`${url}/api/orders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ items: anyItems(products) }),
        ...gives,
      })
      const answer = (await response.json()) as OrderAnswer
      durationsMs.push(performance.now() - asked)
      if (answer.order) paid.push(answer.order.id)
      else refused.set(answer.error!, (refused.get(answer.error!) ?? 0) + 1)
    } catch (error) {
      if (!('signal' in gives)) throw error
      abandoned++
    }
  }

  await Promise.all(
    customers.map(async (customer) => {
      while (tried < orders && performance.now() - started < seconds * 1000) {
        tried++
        await order(customer)
      }
    }),
  )
  durationsMs.sort((one, other) => one - other)
  return { paid, refused, abandoned, durationsMs, elapsedMs: performance.now() - started }
}

/** One to three products, in any order, one to three of each: two orders for the same two may name them the other way round. */
function anyItems(products: readonly StockedProduct[]): { productId: number; quantity: number }[] {
  const upTo = (most: number): number => 1 + Math.floor(Math.random() * most)
  return Array.from({ length: upTo(3) }, () => ({
    productId: products[upTo(products.length) - 1]!.id,
    quantity: upTo(3),
  }))
}
