import type { Report } from '../report.ts'
import type { Logger } from './logger.ts'

/** What fails without failing a request is a warning in the log. */
export function reportTo(logger: Logger): Report {
  return (what, error) => logger.warn(what, { error: error instanceof Error ? error : new Error(String(error)) })
}
