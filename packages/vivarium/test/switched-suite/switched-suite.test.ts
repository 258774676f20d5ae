import { randomBytes } from 'node:crypto'
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { installPackage, type InstalledPackage } from '../consumer/support/installed-package.ts'
import { runVitest, type VitestOutcome } from '../consumer/support/run-vitest.ts'
import { isolations } from '../support/isolations.ts'
import { startPlainServer } from '../support/plain-server.ts'

/**
 * A helpdesk's back end with a global pool and a hundred tests that truncate the tables before each of them, as its team
 * wrote them: neither `src/` nor `test/` knows of Vivarium. The two configurations beside it are all that differs.
 */
const helpdesk = fileURLToPath(new URL('./fixtures/helpdesk', import.meta.url))
/** For one run of the suite, however busy the machine is; the hooks and tests here wait for one each. */
const deadlineMs = 110_000
vi.setConfig({ testTimeout: deadlineMs + 10_000, hookTimeout: deadlineMs + 10_000 })

let server: Awaited<ReturnType<typeof startPlainServer>>
let installed: InstalledPackage
let project: string

beforeAll(async () => {
  ;[server, installed] = await Promise.all([startPlainServer(), installPackage()])
  project = join(installed.folder, 'helpdesk')
  cpSync(helpdesk, project, { recursive: true })
})
afterAll(async () => {
  await installed[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

/** Runs the suite the old way, on a database that its team would have made by hand. */
async function runOnPlainDatabase(config: string): Promise<VitestOutcome> {
  const { maintenance, role } = server
  const admin = new Client(maintenance)
  const name = `vivarium_helpdesk_${randomBytes(6).toString('hex')}`
  await admin.connect()
  try {
    await admin.query(`create database ${name} owner ${role.user}`)
    const url = `postgres://${role.user}:${role.password}@${maintenance.host}:${maintenance.port}/${name}`
    return await runVitest(project, { args: ['--config', config], env: { DATABASE_URL: url }, deadlineMs })
  } finally {
    await admin.query(`drop database if exists ${name} with (force)`)
    await admin.end()
  }
}

/** Which test of which file ended how. */
function outcomesOf({ files }: VitestOutcome): string[] {
  return files
    .flatMap(({ name, assertionResults }) =>
      assertionResults.map(({ fullName, status }) => `${name.slice(project.length)}: ${fullName}: ${status}`),
    )
    .toSorted()
}

describe('a suite that was written for TRUNCATE', () => {
  let before: VitestOutcome

  beforeAll(async () => {
    before = await runOnPlainDatabase('vitest.config.ts')
  })

  test('passes as its team has it, without Vivarium', () => {
    expect(before.code, before.output).toBe(0)
    expect(before.tests.filter(({ status }) => status === 'passed')).toHaveLength(100)
    expect(before.tests.filter(({ meta }) => meta.vivarium !== undefined)).toEqual([])
  })

  test.each(isolations)(
    'passes test by test when only its configuration is changed: isolation %s',
    async (isolation) => {
      const after = await runVitest(project, {
        args: ['--config', 'vitest.vivarium.config.ts'],
        env: { VIVARIUM_CACHE_DIR: installed.cacheFolder, VIVARIUM_ISOLATION: isolation },
        deadlineMs,
      })
      expect(after.code, after.output).toBe(0)
      expect(outcomesOf(after)).toEqual(outcomesOf(before))
      // Each of them really worked in a sandbox.
      expect(after.tests.filter(({ meta }) => (meta.vivarium?.statements ?? 0) > 0)).toHaveLength(100)
      const warned = after.tests.flatMap(({ meta }) => meta.vivarium?.fidelityWarnings ?? [])
      const kinds = [...new Set(warned.map(({ kind }) => kind))]
      if (isolation === 'database') expect(kinds).toEqual([])
      else expect(kinds).toEqual(expect.arrayContaining(['row-lock', 'transaction-isolation']))
    },
  )

  test('notices when nothing isolates its tests', async () => {
    const config = readFileSync(join(project, 'vitest.config.ts'), 'utf8')
    writeFileSync(join(project, 'vitest.nothing.config.ts'), config.replace(/ *setupFiles: .*\n/, ''))
    const outcome = await runOnPlainDatabase('vitest.nothing.config.ts')
    expect(outcome.code).toBe(1)
    expect(outcome.tests).toHaveLength(100)
    expect(outcome.tests.filter(({ status }) => status === 'failed').length).toBeGreaterThan(50)
  })

  test('says nothing of Vivarium in its application and its tests', () => {
    const files = ['src', 'test', 'migrations']
      .flatMap((folder) => readdirSync(join(helpdesk, folder), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
    expect(files.length).toBeGreaterThan(20)
    const naming = files.filter(({ parentPath, name }) =>
      /vivarium/i.test(readFileSync(join(parentPath, name), 'utf8')),
    )
    expect(naming).toEqual([])
  })
})
