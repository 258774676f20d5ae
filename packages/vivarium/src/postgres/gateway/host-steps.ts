import type { Frame, Frames } from './frames.ts'
import { savepointName } from './plan.ts'
import { resumeSteps } from './settings.ts'
import type { Settings } from './settings.ts'
import { beginReadOnly, defaultIsolation, endReadOnly, showIsolation } from './transaction-modes.ts'

const noSteps: readonly string[] = []

/**
 * Statements that make the transaction around the current frame fit for another to run inside of it.
 *
 * A failed transaction that has savepoints is left as its innermost one was. The savepoint itself is released, and made
 * again behind the inner one's work: in production a ROLLBACK TO it would not undo that either. A READ ONLY outside of all
 * savepoints is taken off.
 */
export function leaveHostSteps(frames: Frames): readonly string[] {
  const { host } = frames
  const state = host?.owner?.state
  if (host === undefined || state === undefined || state.status === 'idle') return noSteps
  const { savepoints, readOnly } = state.transaction
  const last = savepoints.length - 1
  if (state.status === 'failed' && !host.reopens) {
    host.reopens = true
    frames.rolledBackTo(host, last, 'a statement failed')
    return [`ROLLBACK TO SAVEPOINT ${savepointName(last)}`, `RELEASE SAVEPOINT ${savepointName(last)}`]
  }
  if (state.status === 'inTransaction' && readOnly && last === -1 && !host.reopensReadOnly) {
    host.reopensReadOnly = true
    return [endReadOnly]
  }
  return noSteps
}

/** Statements with which a transaction goes on that others ran inside of, and the settings that it then has. */
export function goOnSteps(frame: Frame, wanted: Settings): { statements: string[]; settings: Settings } {
  const { reopens, reopensReadOnly } = frame
  frame.reopens = false
  frame.reopensReadOnly = false
  const state = frame.owner?.state
  const savepoints = state?.status === 'failed' ? state.transaction.savepoints : []
  const reopened = reopens ? savepoints.at(-1) : undefined
  const settings = reopened?.before.settings ?? wanted
  const statements = resumeSteps(settings)
  if (reopened !== undefined) statements.push(`SAVEPOINT ${savepointName(savepoints.length - 1)}`)
  if (reopensReadOnly) statements.push(...beginReadOnly)
  const isolation = state?.status === 'inTransaction' ? state.transaction.isolation : undefined
  if (isolation !== undefined && isolation !== defaultIsolation(wanted)) statements.push(showIsolation(isolation))
  return { statements, settings }
}
