import type { ObservedQuery } from '../../core/interactions.ts'

const harmless = new Set([
  'SHOW',
  'SET',
  'RESET',
  'BEGIN',
  'START TRANSACTION',
  'COMMIT',
  'ROLLBACK',
  'SAVEPOINT',
  'RELEASE',
  'PREPARE',
  'DEALLOCATE',
  'DEALLOCATE ALL',
  'DISCARD ALL',
  'LISTEN',
  'UNLISTEN',
  'NOTIFY',
])

/** Whether a statement certainly left the database as it was. A SELECT that calls a function may write. */
export function changesNothing({ command, text }: Pick<ObservedQuery, 'command' | 'text'>): boolean {
  if (command === undefined || harmless.has(command)) return true
  return command === 'SELECT' && isPlainSelect(text)
}

/**
 * Whether a statement may have changed the database, for whoever would copy it: a failed one (without a tag) too, since
 * sequences do not go back.
 */
export function mayHaveChanged(text: string, tag: string | undefined): boolean {
  if (tag === undefined) return !isPlainSelect(text) && text !== ''
  return !changesNothing({ command: tag.replace(/(?: \d+)+$/, ''), text })
}

/** SELECT … INTO makes a table. */
function isPlainSelect(text: string): boolean {
  return !text.includes('(') && /^\s*select\b/i.test(text) && !/\binto\b/i.test(text)
}
