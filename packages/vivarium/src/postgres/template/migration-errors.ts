import { VivariumError } from '../../core/errors.ts'
import type { ErrorReport } from '../../core/errors.ts'
import type { PostgresServerError } from '../connection/server-error.ts'
import { unreadable } from './migration-text.ts'
import type { MigrationFile } from './migration-folder.ts'
import { findPlace, toOffset } from './source-place.ts'

const otherServer =
  'Use a server that has it: set VIVARIUM_POSTGRES_URL (or `postgres.url`) to one, e.g. of the image your production runs.'

/** The error of a statement of a file: `start` and `end` are the statement's offsets in `text`. */
export function statementFailed(
  file: MigrationFile,
  text: string,
  span: { start: number; end: number },
  error: PostgresServerError,
  orderHint: string,
): VivariumError {
  const { fields } = error
  const position = fields.position
  const offset = position === undefined ? span.start : span.start + toOffset(text.slice(span.start, span.end), position)
  const place = findPlace(text, offset)
  if (error.code === '42601' && text[offset] === '\\') {
    return unreadable(file, `holds a command of psql in line ${place.line}, which the server does not know`, {
      seen: `\n${place.excerpt}`,
      remedy: 'Take it out of the file, or run the file with psql: `migrations: { command: "psql …", inputs: ["…"] }`.',
      cause: error,
    })
  }
  const where = fields.where === undefined ? '' : `\n  Where: ${fields.where}`
  const seen = `${error.message}${where}\n  ${place.label(file.path)}\n${indent(place.excerpt)}`
  const extension = findMissingExtension(error.code, fields.message)
  if (extension !== undefined) {
    return extensionMissing(extension, `Migration ${file.name} needs the extension "${extension}"`, seen, error)
  }
  return new VivariumError('MIGRATION_FAILED', {
    what: `Migration ${file.name} failed in line ${place.line}, column ${place.column}.`,
    seen,
    remedy: `Correct the file; nothing of the template was kept.${orderHint}`,
    cause: error,
  })
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '    ')
}

/** The failure of a command or a function, which may have met a missing extension as well. */
export function toolFailed(report: ErrorReport & { seen: string }): VivariumError {
  const extension = findMissingExtension(undefined, report.seen)
  if (extension === undefined) return new VivariumError('MIGRATION_FAILED', report)
  return extensionMissing(extension, `The migrations need the extension "${extension}"`, report.seen, report.cause)
}

function extensionMissing(extension: string, what: string, seen: string, cause: unknown): VivariumError {
  const privileged = /permission denied to create extension/.test(seen)
  return new VivariumError('EXTENSION_MISSING', {
    what: privileged ? `${what}, which the role may not create.` : `${what}, which the server does not have.`,
    seen,
    remedy: privileged
      ? `Let an administrator create "${extension}" in template1 of a server, and set VIVARIUM_POSTGRES_URL to it.`
      : otherServer,
    cause,
  })
}

/** The wording is that of extension.c and commands of PostgreSQL 14 to 18. */
function findMissingExtension(code: string | undefined, message: string): string | undefined {
  const patterns: readonly (readonly [string, RegExp])[] = [
    ['0A000', /extension "([^"\n]+)" is not available/],
    ['42501', /permission denied to create extension "([^"\n]+)"/],
    ['58P01', /could not open extension control file "[^"\n]*?([^"/\\]+)\.control"/],
    ['58P01', /could not access file "(?:\$libdir\/)?([^"\n]+)"/],
  ]
  for (const [state, pattern] of patterns) {
    const found = code === undefined || code === state ? pattern.exec(message)?.[1] : undefined
    if (found !== undefined) return found
  }
  return undefined
}

/** What a hanging migration shows: `doing` is what the server says of its connections. */
export function timedOut(what: string, deadlineMs: number, doing: string): VivariumError {
  return new VivariumError('MIGRATION_TIMEOUT', {
    what: `${what} did not end within ${deadlineMs} ms.`,
    seen: doing,
    remedy:
      'Find what it waits for, or give it longer (`postgres.migrationDeadlineMs`). Nothing of the template was kept.',
  })
}
