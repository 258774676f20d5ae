import { indentText } from './wrap-text.ts'

/**
 * Every error code of Vivarium: the one list. `docs/errors.md` describes each, and a test compares the two.
 */
export const errorCodes = {
  NO_SANDBOX: 'No sandbox is open',
  SANDBOX_ALREADY_OPEN: 'A sandbox is already open in this worker',
  SANDBOX_CLOSED: 'The sandbox is closed',
  SANDBOX_BROKEN: 'The sandbox lost its database session',
  TEST_BROKE_PROMISE: 'The test ended with a promise broken',
  TRANSACTION_LEFT_OPEN: 'A transaction was still open when the sandbox closed',
  STATEMENT_STILL_RUNNING: 'A statement was still running when the sandbox closed',
  CONNECTION_WAIT_TIMEOUT: 'A connection waited too long for another connection of the same sandbox',
  COMMITTED_WORK_LOST: "Work that was committed inside another connection's transaction was lost with it",
  ISOLATION_MIXED: 'A sandbox cannot see what the one around it has written',
  FIDELITY_WARNING: 'Something would behave differently in production',
  COMMITTED_FOR_REAL: 'Something committed for real inside a sandbox',
  FAULT_UNUSED: 'A fault was set, and nothing met it',
  FAULT_NOT_ENDED: 'The application still waited for an answer that a fault withheld',
  FAULT_NOT_SURVIVED: 'With a fault, something did not hold that must',
  MOCK_CALL_UNEXPECTED: 'A double was called, and nobody expected it',
  MOCK_CALL_MISSING: 'An expected call of a double did not come',
  MOCK_CALL_TIMEOUT: 'An expected call of a double did not come in time',
  MOCK_CALL_PENDING: 'A call of a double had not ended when the sandbox closed',
  MOCK_CONTRACT_BROKEN: 'A call of a double, or the answer to it, is against the contract',
  MOCK_ANSWER_MISSING: 'Nothing says what an expected call answers',
  MOCK_FUNCTION_UNKNOWN: 'A contract has no such function',
  MOCK_FLOW_REFUSED: 'A flow belongs to another sandbox',
  CLIENT_NOT_CREATED: 'perSandbox could not make a client',
  CLIENT_NOT_CLOSED: 'A client of perSandbox did not end with its sandbox',
  NOT_A_TRACE: 'An assertion was given something that is neither a sandbox nor an observation',
  MAIL_NOT_RECEIVED: 'An awaited mail was not sent in time',
  MAIL_CODE_NOT_FOUND: 'A mail does not hold the code that was looked for',
  MAIL_STILL_SENDING: 'A mail was still being sent when the sandbox closed',
  INBOX_NOT_OPENED: 'An inbox could not be opened',
  INBOX_NOT_CLOSED: 'An inbox could not be closed',
  INBOX_NOT_SHARED: 'An inbox hears nothing of the sandbox that asks it',
  INBOX_BROKEN: 'The source of an inbox broke',
  NOT_AN_INBOX: 'An assertion was given something that is no inbox',
  MESSAGE_NOT_RECEIVED: 'An awaited message did not come',
  MESSAGE_STILL_AWAITED: 'A message was still awaited when the sandbox closed',
  NOTIFICATIONS_NOT_DELIVERED: "Postgres delivers no notifications in isolation 'transaction'",
  EVENT_STREAM_REFUSED: 'A response is no stream of server-sent events',
  CONDITION_NOT_MET: 'A condition was not met in time',
  VIVARIUM_CLOSED: 'The vivarium is closed',
  CONFIG_INVALID: 'The configuration is not valid',
  VERSIONS_MIXED: 'Two versions of Vivarium are loaded in one process',
  CONCURRENT_SANDBOX_NESTED: 'A concurrent sandbox cannot be nested in another',
  STABLE_URL_AMBIGUOUS: 'The stable URL was used while tests ran at the same time',
  FILE_WORK_NOT_SHARED: 'A concurrent test cannot see what its file wrote',
  SERVER_UNREACHABLE: 'A server could not be reached',
  SERVER_BINARIES_MISSING: 'No PostgreSQL binaries for this machine',
  SERVER_USER_MISSING: 'No user was found to run PostgreSQL as',
  SERVER_SPACE_EXHAUSTED: 'No room for the data of the embedded server',
  SERVER_PORT_TAKEN: 'No TCP port was free for the embedded server',
  SERVER_START_FAILED: 'The embedded server did not start',
  SERVER_START_TIMEOUT: 'The embedded server was not ready in time',
  SERVER_DIED: 'The embedded server ended while it was in use',
  SERVER_LOGIN_REFUSED: 'The server refused the login',
  REDIS_NOT_FOUND: 'No Redis server was found',
  REDIS_TOO_OLD: 'The Redis server is older than version 7',
  REDIS_RIGHTS_MISSING: 'The Redis user may not do what is needed',
  REDIS_CLUSTER: 'The Redis server is part of a cluster',
  COMMAND_STILL_RUNNING: 'A Redis command was still running when the sandbox closed',
  CONNECTION_NOT_MOVED: 'A Redis connection could not follow the stable URL into a sandbox',
  CACHE_NOT_SHARED: 'What a file has cached could not be copied for a test',
  SERVER_TOO_OLD: 'The server is older than PostgreSQL 14',
  SERVER_POOLED: 'There is a connection pooler before the server',
  SERVER_CREATEDB_MISSING: 'The role may not create databases',
  MIGRATIONS_NOT_FOUND: 'No migrations were found',
  MIGRATION_UNREADABLE: 'A migration file cannot be run as SQL',
  MIGRATION_FAILED: 'A migration failed',
  MIGRATION_TIMEOUT: 'A migration did not end in time',
  EXTENSION_MISSING: 'A migration needs an extension that the server lacks',
  TEMPLATE_WAIT_TIMEOUT: 'Another process did not finish building the template in time',
  TEMPLATE_UNUSABLE: 'The template database cannot be used',
  DATABASE_NOT_CREATED: 'The server did not create a database',
  LEASE_WAIT_TIMEOUT: 'No database became free in time',
  CONNECTION_LIMIT: 'No further connection to the server was to be had in time',
  LEASE_LOST: 'The hold of a database was lost',
  RUN_ENDED: 'The run that the databases belong to has ended',
  HTTP_REQUEST_MISSING: 'An expected request did not come',
  HTTP_REQUEST_UNEXPECTED: 'A request came that the test does not expect',
  HTTP_REQUEST_PENDING: 'A request had no answer when its sandbox closed',
  HTTP_REQUEST_ESCAPED: 'A request went past the interception',
  HTTP_HANDLER_FAILED: 'A handler of an HTTP service failed',
  HTTP_CONTRACT_BROKEN: 'A request or an answer breaks the contract of its service',
  RUN_CLEANUP_FAILED: 'Databases of the run could not be dropped',
  CONTRACT_UNREADABLE: 'An OpenAPI document cannot be read',
  CONTRACT_INVALID: 'An OpenAPI document is not valid',
  CONTRACT_NO_EXAMPLE: 'An OpenAPI document gives no valid example of a response',
  FACTORY_TABLE_UNKNOWN: 'A factory was asked for a table that the database does not have',
  FACTORY_UNKNOWN: 'A factory was asked for that is not there',
  FACTORY_TRAIT_UNKNOWN: 'A factory has no such trait',
  FACTORY_DEFINITION_INVALID: 'A factory cannot be used as it is written',
  FACTORY_ATTRIBUTE_UNKNOWN: 'A row was given something that its table does not have',
  FACTORY_VALUE_REFUSED: 'A column was given a value that it cannot hold',
  FACTORY_VALUE_MISSING: 'No value could be made for a column',
  FACTORY_VALUES_USED_UP: 'All values that a unique key admits are used up',
  FACTORY_CYCLE: 'Tables need rows of each other before either can have one',
  FACTORY_ALREADY_INSERTED: 'A row was to be inserted that is in the database already',
  FACTORY_ROW_REFUSED: 'The database refused a row that a factory made',
  RECORDING_INVALID: 'Recorded traffic is not a HAR file',
} as const

/** A code of the list; the same string stands in {@link VivariumError.code}. */
export type ErrorCode = keyof typeof errorCodes

/** What an error says: what happened to which object, what was seen, what to do next. */
export interface ErrorReport {
  /** What happened, and to which object. One sentence. */
  what: string
  /** What was seen: the server's message, a path, a state. */
  seen?: string
  /** What to do next. */
  remedy: string
  cause?: unknown
}

// Shared by every copy of this module in a process (ES modules, CommonJS, the runner's bundle): an error made by one is an
// instance for the others.
const errorBrand = Symbol.for('vivarium.error')
const failuresBrand = Symbol.for('vivarium.failures')

function hasBrand(value: unknown, brand: symbol): boolean {
  return typeof value === 'object' && value !== null && brand in value
}

/** The error class of everything Vivarium reports itself. `code` names the case. */
export class VivariumError extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return hasBrand(value, errorBrand)
  }

  override readonly name: string = 'VivariumError'
  readonly code: ErrorCode
  readonly what: string
  readonly seen: string | undefined
  readonly remedy: string

  constructor(code: ErrorCode, report: ErrorReport) {
    const seen = report.seen === undefined ? '' : `\n  Seen: ${report.seen}`
    super(`${report.what}${seen}\n  What to do: ${report.remedy}\n  (${code})`, { cause: report.cause })
    Object.defineProperty(this, errorBrand, { value: true })
    this.code = code
    this.what = report.what
    this.seen = report.seen
    this.remedy = report.remedy
  }
}

/** Several failures of one closing, all of them, in the order they were found. */
export class SandboxFailures extends AggregateError {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return hasBrand(value, failuresBrand)
  }

  override readonly name: string = 'SandboxFailures'
  readonly code: ErrorCode = 'TEST_BROKE_PROMISE'

  constructor(title: string, errors: readonly unknown[]) {
    super(errors, `${title}: ${errors.length} failure${errors.length === 1 ? '' : 's'} at close\n${listed(errors)}`)
    Object.defineProperty(this, failuresBrand, { value: true })
  }
}

/** Each with its number, its further lines under its first one. */
function listed(errors: readonly unknown[]): string {
  const texts = errors.map((error, index) => {
    const text = error instanceof Error ? error.message : String(error)
    const lead = `${index + 1}) `
    const hanging = ' '.repeat(lead.length)
    return lead + indentText(text, hanging).slice(lead.length)
  })
  return texts.join('\n\n')
}
