import { openOncePerWorker } from '../core/registry.ts'
import { joinVivarium } from '../vivarium/join.ts'
import type { JoinedVivarium, JoinInfo } from '../vivarium/vivarium.ts'

/**
 * Joins the run, once per worker however many files it runs, and writes the stable URLs into the environment. It is never
 * closed: the application's pools are connected until the worker ends, and ending is what frees the lease.
 */
export async function joinWorker(info: JoinInfo): Promise<JoinedVivarium> {
  const vivarium = await openOncePerWorker(`run ${JSON.stringify(info)}`, () => joinVivarium(info))
  // A rejection that nobody handles is what fails a run of Vitest when its file is done.
  vivarium.reportLateFailures((error) => void Promise.reject(error))
  // For each file again: one before it may have changed a variable.
  Object.assign(process.env, vivarium.environment)
  return vivarium
}
