import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { openVivarium, type PostgresOptions } from '../../src/index.ts'
import { type OpenedVivarium, useOpened } from '../support/opened.ts'

/** One vivarium for the test file, whose template is what `sql` makes. */
export function useMigrated(sql: string, options: PostgresOptions = {}): OpenedVivarium {
  const folder = mkdtempSync(join(tmpdir(), 'vivarium-factory-'))
  writeFileSync(join(folder, '0001_schema.sql'), sql)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return useOpened(() => openVivarium({ postgres: { migrations: folder, ...options } }))
}
