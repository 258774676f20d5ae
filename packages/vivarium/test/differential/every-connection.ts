import type { Exclusion } from './script.ts'

/** What differs between any two connections, in every script. */
export const everyConnection: readonly Exclusion[] = [
  {
    message: 'BackendKeyData',
    field: 'processId',
    why: 'two connections have two server processes',
    betweenAnyTwo: true,
  },
  { message: 'BackendKeyData', field: 'secret', why: 'each connection has its own secret', betweenAnyTwo: true },
  {
    message: 'ErrorResponse',
    field: 'L',
    whenAbsent: true,
    why: 'the line in the server source is not known for an error that the gateway itself has to produce',
  },
  {
    message: 'NoticeResponse',
    field: 'L',
    whenAbsent: true,
    why: 'the line in the server source is not known for a warning that the gateway itself has to produce',
  },
]
