import { Client } from 'pg'
import { insertAndSelect } from '../arms/statements.ts'

// One worker's memory after a hundred tests, with Vivarium or without it. Arguments: 'vivarium' or 'plain', a URL, and the
// folder of the migrations.
const [, , kind, url = '', migrations = ''] = process.argv
const tests = 100

async function withVivarium(): Promise<() => Promise<void>> {
  const { openVivarium } = await import('vivarium')
  const vivarium = await openVivarium({ postgres: { url, migrations } })
  let client: Client | undefined
  for (let index = 0; index < tests; index++) {
    const sandbox = await vivarium.openSandbox()
    client ??= await connect(vivarium.postgres.url)
    await insertAndSelect(client)
    await sandbox.close()
  }
  return async () => {
    await client?.end()
    await vivarium.close()
  }
}

async function without(): Promise<() => Promise<void>> {
  const client = await connect(url)
  for (let index = 0; index < tests; index++) await insertAndSelect(client)
  return () => client.end()
}

async function connect(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString })
  await client.connect()
  return client
}

const close = kind === 'vivarium' ? await withVivarium() : await without()
globalThis.gc?.()
process.send?.({ megabytes: process.memoryUsage().rss / 2 ** 20 })
await close()
process.disconnect()
