import { Client } from 'pg'
import { openVivarium } from 'vivarium'
import type { ObservedMail } from 'vivarium'

export interface StandIns {
  /** Where they are, as the shop's own variables. */
  readonly environment: Readonly<Record<string, string>>
  /** What the shop has sent; `undefined` where a real mail service has it. */
  readonly mails: (() => readonly ObservedMail[]) | undefined
  close(): Promise<void>
}

/** Starts the servers that are asked for. What a process that was killed has left of them is swept away first. */
export async function openStandIns({ database, mail }: { database: boolean; mail: boolean }): Promise<StandIns> {
  // Never called, where the shop is given the stand-in for Stripe.
  const stripe = { STRIPE_KEY: 'sk_test_stand_in' }
  if (!database && !mail) return { environment: stripe, mails: undefined, close: async () => {} }

  const vivarium = await openVivarium({ ...(database && { postgres: {} }), ...(mail && { mail: {} }) })
  const sandbox = mail ? await vivarium.openSandbox({ title: 'the shop' }) : undefined
  return {
    environment: {
      ...stripe,
      ...(database && { DATABASE_URL: await createDatabase(vivarium.postgres.serverUrl) }),
      ...(sandbox && { SMTP_URL: sandbox.mail.url }),
    },
    mails: sandbox && (() => sandbox.mails),
    close: () => vivarium.close(),
  }
}

/** A database on the plain server: what the shop does there is not sandboxed, and not recorded. */
async function createDatabase(serverUrl: string): Promise<string> {
  const client = new Client({ connectionString: serverUrl })
  await client.connect()
  await client.query('create database shop')
  await client.end()
  return Object.assign(new URL(serverUrl), { pathname: '/shop' }).href
}
