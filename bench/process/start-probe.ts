import { openVivarium } from 'vivarium'

// One process's way from nothing to a vivarium on the embedded server. Argument: the folder of the migrations.
const [, , migrations = ''] = process.argv
const started = performance.now()
const vivarium = await openVivarium({ postgres: { migrations } })
const openMs = performance.now() - started
process.send?.({ openMs })
await vivarium.close()
process.disconnect()
