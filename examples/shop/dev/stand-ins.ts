import { Client } from 'pg'
import { openVivarium } from 'vivarium'
import type { ObservedMail } from 'vivarium'
import type { Config } from '../src/config/config.ts'

export interface StandIns {
  /** Where those are that were asked for. */
  readonly config: Partial<Pick<Config, 'databaseUrl' | 'smtpUrl'>>
  /** What the shop has sent; `undefined` where a real mail service has it. */
  readonly mails: (() => readonly ObservedMail[]) | undefined
  close(): Promise<void>
}

/** Starts the servers that are asked for. What a process that was killed has left of them is swept away first. */
export async function openStandIns({ database, mail }: { database: boolean; mail: boolean }): Promise<StandIns> {
  if (!database && !mail) return { config: {}, mails: undefined, close: async () => {} }

  const vivarium = await openVivarium({ ...(database && { postgres: {} }), ...(mail && { mail: {} }) })
  const sandbox = mail ? await vivarium.openSandbox({ title: 'the shop' }) : undefined
  return {
    config: {
      ...(database && { databaseUrl: await createDatabase(vivarium.postgres.serverUrl) }),
      ...(sandbox && { smtpUrl: sandbox.mail.url }),
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
