import { Client } from 'pg'
import { currentSandbox } from 'vivarium'
import { fromEnvironment } from './test-shop.ts'

/** What must never be in the database: a name, and a query for all that is wrong in that way. */
const wrongs: Readonly<Record<string, string>> = {
  'an order without its payment': `
    select id from orders where not exists (
      select from payments where order_id = orders.id and status = 'success' and amount_cents = total_cents
    )`,
  'a payment without a paid order': `
    select id from payments where not exists (select from orders where id = order_id and orders.status = 'paid')`,
  'an order without items': `select id from orders where not exists (select from order_items where order_id = orders.id)`,
  'a payment whose attempt is not settled, or the other way round': `
    select idempotency_key from payments full join payment_attempts using (idempotency_key)
    where (payments.id is null) <> (payment_attempts.status is distinct from 'settled')`,
  'stock below zero': `select product_id from inventory where stock < 0`,
  'a user whose email counts as verified though no token was used': `
    select id from users where verification_used_at is null and onboarding_state not in ('registered', 'verification_pending')`,
  'a user whose profile is missing, or ahead of its step': `
    select users.id from users left join profiles on user_id = users.id
    where (profiles.id is null) <> (onboarding_state in ('registered', 'verification_pending', 'verified'))`,
  'a user whose card is missing': `
    select id from users where card_token is null and onboarding_state in ('payment_complete', 'active')`,
}

/**
 * Whatever is wrong, in a line each; none when the shop is as it must always be. `keptCharges`: the names of the charges that the payment
 * provider has made and not given back.
 */
export async function brokenInvariants(keptCharges: readonly string[]): Promise<string[]> {
  const client = new Client({ connectionString: fromEnvironment('DATABASE_URL') })
  await client.connect()
  try {
    const broken: string[] = []
    for (const [wrong, query] of Object.entries(wrongs)) {
      const { rows } = await client.query(query)
      for (const row of rows) broken.push(`${wrong}: ${JSON.stringify(row)}`)
    }
    const payments = await client.query<{ id: string }>('select provider_id as id from payments')
    const users = await client.query<{ id: string }>('select email as id from users')
    const paid = payments.rows.map(({ id }) => id)
    return [
      ...broken,
      ...missing('a charge without a payment', keptCharges, paid),
      ...missing('a payment whose charge was given back', paid, keptCharges),
      ...missing(
        'a welcome mail without a user',
        welcomed(),
        users.rows.map(({ id }) => id),
      ),
    ]
  } finally {
    await client.end()
  }
}

function missing(wrong: string, wanted: readonly string[], there: readonly string[]): string[] {
  return wanted.filter((one) => !there.includes(one)).map((one) => `${wrong}: ${one}`)
}

function welcomed(): string[] {
  const mails = currentSandbox().mails.filter(({ subject }) => subject === 'Welcome to the shop')
  return mails.flatMap(({ to }) => to.map(({ address }) => address))
}
