import { appendFileSync } from 'node:fs'
// Loaded here, so that loading the driver is no part of what is measured.
import 'pg'

globalThis.benchWorkerStarted ??= performance.now()

/** Writes down how long this worker took to get here. */
export function workerReady() {
  appendFileSync('ready-ms.txt', `${performance.now() - globalThis.benchWorkerStarted}\n`)
}
