import { describeError } from './describe-error.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export const logLevels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/** What is known of an event. An `Error` is written without the values that it was about. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined | readonly string[] | Error>>

/** Writes one line of JSON per event. Only what is named here gets there: no body, no header, no query parameter. */
export interface Logger {
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
  /** The same, with more fields on each line. */
  with(fields: LogFields): Logger
}

export interface CreateLoggerOptions {
  /** What is less than that is not written. @default 'info' */
  readonly level?: LogLevel
  /** Takes one line, its end included. @default to standard output */
  readonly write?: (line: string) => void
}

export function createLogger(
  { level = 'info', write = (line) => void process.stdout.write(line) }: CreateLoggerOptions = {},
  common: LogFields = {},
): Logger {
  const least = logLevels.indexOf(level)
  const log =
    (at: LogLevel) =>
    (event: string, fields: LogFields = {}) => {
      if (logLevels.indexOf(at) < least) return
      const line = { time: new Date().toISOString(), level: at, event, ...common, ...fields }
      write(`${JSON.stringify(line, (_, value: unknown) => (value instanceof Error ? describeError(value) : value))}\n`)
    }
  return {
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
    with: (fields) => createLogger({ level, write }, { ...common, ...fields }),
  }
}
