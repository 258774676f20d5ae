import { openVivarium } from 'vivarium'
import { migrationsFolder } from '../fixture/schema.ts'

// One process's way from nothing to a vivarium, and on to the first statement's answer. Argument: a server's URL, or
// nothing for the embedded server.
const url = process.argv[2]
const { Client } = await import('pg')

const started = performance.now()
const vivarium = await openVivarium({
  postgres: { migrations: migrationsFolder, ...(url === undefined ? {} : { url }) },
})
const openMs = performance.now() - started
const sandbox = await vivarium.openSandbox()
const client = new Client({ connectionString: vivarium.postgres.url })
await client.connect()
await client.query('select 1')
const firstStatementMs = performance.now() - started

process.send?.({ openMs, firstStatementMs })
await client.end()
await sandbox.close()
await vivarium.close()
process.disconnect()
