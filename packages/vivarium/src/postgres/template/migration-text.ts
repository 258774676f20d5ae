import { VivariumError } from '../../core/errors.ts'
import { findPlace } from './source-place.ts'
import type { MigrationFile } from './migration-folder.ts'

/**
 * The text of a migration file: UTF-8, without a byte order mark.
 *
 * @throws VivariumError MIGRATION_UNREADABLE when it is not UTF-8, or is written for another migration tool.
 */
export function readMigrationText(file: MigrationFile): string {
  const text = decode(file)
  const down = /^--\s*(?:migrate:down|\+goose\s+Down)\b/im.exec(text)
  if (down !== null) {
    throw unreadable(file, `holds the way up and the way down: ${findPlace(text, down.index).label(file.name)}`, {
      seen: down[0],
      remedy: 'Run it with its own tool: `migrations: { command: "…", inputs: ["…"] }`.',
    })
  }
  return text
}

function decode(file: MigrationFile): string {
  try {
    // TextDecoder takes the byte order mark away.
    return new TextDecoder('utf-8', { fatal: true }).decode(file.content)
  } catch (cause) {
    const { content } = file
    const utf16 = (content[0] === 0xff && content[1] === 0xfe) || (content[0] === 0xfe && content[1] === 0xff)
    throw unreadable(file, 'is not UTF-8', {
      seen: utf16 ? 'the byte order mark of UTF-16' : `an invalid byte sequence in line ${findInvalidLine(content)}`,
      remedy: 'Save the file as UTF-8.',
      cause,
    })
  }
}

function findInvalidLine(content: Buffer): number {
  let line = 1
  for (let start = 0; ; line++) {
    const newline = content.indexOf(10, start)
    const bytes = content.subarray(start, newline === -1 ? content.length : newline)
    if (!Buffer.from(bytes.toString('utf8')).equals(bytes) || newline === -1) return line
    start = newline + 1
  }
}

export function unreadable(
  file: MigrationFile,
  why: string,
  report: { seen: string; remedy: string; cause?: unknown },
): VivariumError {
  return new VivariumError('MIGRATION_UNREADABLE', { what: `Migration ${file.path} ${why}.`, ...report })
}
