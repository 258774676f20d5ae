import type { ObservedQuery } from '../core/interactions.ts'

const harmless = new Set([
  'SHOW',
  'SET',
  'RESET',
  'BEGIN',
  'START TRANSACTION',
  'COMMIT',
  'ROLLBACK',
  'PREPARE',
  'DEALLOCATE',
  'DISCARD ALL',
])

/** Whether a statement certainly left the database as it was. A SELECT that calls a function may write. */
export function changesNothing({ command, text }: Pick<ObservedQuery, 'command' | 'text'>): boolean {
  if (command === undefined || harmless.has(command)) return true
  return command === 'SELECT' && !text.includes('(') && /^\s*select\b/i.test(text)
}
