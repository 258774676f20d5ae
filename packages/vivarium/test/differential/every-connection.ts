import type { Exclusion } from './script.ts'

/** What differs between any two connections, in every script. */
export const everyConnection: readonly Exclusion[] = [
  { message: 'BackendKeyData', field: 'processId', why: 'two connections have two server processes' },
  { message: 'BackendKeyData', field: 'secret', why: 'each connection has its own secret' },
]
