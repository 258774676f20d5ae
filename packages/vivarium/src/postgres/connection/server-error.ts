import type { ServerMessage } from '../protocol/server-message.ts'

/** An error that the server answered, with all its fields. */
export class PostgresServerError extends Error {
  override readonly name: string = 'PostgresServerError'
  readonly fields: ServerMessage
  /** SQLSTATE. */
  readonly code: string

  constructor(fields: ServerMessage) {
    const detail = fields.detail === undefined ? '' : `\n  Detail: ${fields.detail}`
    const hint = fields.hint === undefined ? '' : `\n  Hint: ${fields.hint}`
    super(`${fields.severity} ${fields.code}: ${fields.message}${detail}${hint}`)
    this.fields = fields
    this.code = fields.code
  }
}
