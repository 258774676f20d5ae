import { VivariumError } from '../core/errors.ts'
import type { ErrorCode, ErrorReport } from '../core/errors.ts'
import { wrapText } from '../core/wrap-text.ts'

/** What stands before a report's texts when a runner prints them. */
const lead = 'VivariumError: '

/** An error of a factory, its lines as wide as a terminal. */
export function factoryError(code: ErrorCode, { what, seen, remedy, cause }: ErrorReport): VivariumError {
  const after = (label: string, text: string): string => wrapText(`  ${label}${text}`).slice(label.length + 2)
  return new VivariumError(code, {
    what: wrapText(lead + what).slice(lead.length),
    ...(seen === undefined ? {} : { seen: after('Seen: ', seen) }),
    remedy: after('What to do: ', remedy),
    cause,
  })
}
