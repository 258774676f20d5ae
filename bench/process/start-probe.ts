import { openVivarium } from 'vivarium'
import { migrationsFolder } from '../fixture/schema.ts'

// One process's way from nothing to a vivarium on the embedded server.
const started = performance.now()
const vivarium = await openVivarium({ postgres: { migrations: migrationsFolder } })
const openMs = performance.now() - started
process.send?.({ openMs })
await vivarium.close()
process.disconnect()
