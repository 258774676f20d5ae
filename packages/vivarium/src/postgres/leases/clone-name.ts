import { randomBytes } from 'node:crypto'
import { templatePattern } from '../template/database-names.ts'
import type { RunIdentity } from './run-identity.ts'

/** A POSIX regular expression for the names of clones; its first group is the run. */
export const clonePattern = '^vivarium_[0-9a-f]{8}_([0-9a-f]{12})_[0-9]+$'

export function newRunId(): string {
  return randomBytes(6).toString('hex')
}

/** What the names of a run's clones begin with; a number follows. */
export function clonePrefix(identity: Pick<RunIdentity, 'runId' | 'templateDatabase'>): string {
  const hash = new RegExp(templatePattern).exec(identity.templateDatabase)?.[1]
  if (hash === undefined) throw new Error(`not the name of a template: ${identity.templateDatabase}`)
  return `vivarium_${hash.slice(0, 8)}_${identity.runId}_`
}
