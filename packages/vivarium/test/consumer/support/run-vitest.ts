import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { TestNotes } from '../../../src/vitest/notes.ts'
import { type ProcessOutcome, runNode } from './run-process.ts'

/** One test of a run, from Vitest's JSON report. */
export interface VitestTest {
  readonly title: string
  readonly fullName: string
  readonly status: 'passed' | 'failed' | 'skipped' | 'pending' | 'todo'
  readonly failureMessages: readonly string[]
  readonly meta: { readonly vivarium?: TestNotes }
}

/** One file of a run. */
export interface VitestFile {
  readonly name: string
  readonly status: 'passed' | 'failed'
  readonly message: string
  readonly assertionResults: readonly VitestTest[]
}

/** A finished `vitest run`. */
export interface VitestOutcome extends ProcessOutcome {
  /** Everything printed, for people. */
  readonly output: string
  readonly files: readonly VitestFile[]
  readonly tests: readonly VitestTest[]
  test(title: string): VitestTest
  /** The file of that name, without its folder. */
  file(name: string): VitestFile
}

/** The command line of the installed Vitest. */
export const vitestCli = '../node_modules/vitest/vitest.mjs'

/** Runs `vitest run` in a project. */
export async function runVitest(
  folder: string,
  options: { args?: readonly string[]; env?: Readonly<Record<string, string>>; deadlineMs?: number } = {},
): Promise<VitestOutcome> {
  const report = join(folder, 'report.json')
  rmSync(report, { force: true })
  const args = [vitestCli, 'run', '--reporter=default', '--reporter=json', '--outputFile.json=report.json']
  const outcome = await runNode([...args, ...(options.args ?? [])], { cwd: folder, ...options })
  const written = existsSync(report)
    ? (JSON.parse(readFileSync(report, 'utf8')) as { testResults: VitestFile[] })
    : undefined
  const files = written?.testResults ?? []
  const tests = files.flatMap(({ assertionResults }) => assertionResults)
  const output = `${outcome.stdout}\n${outcome.stderr}`
  return {
    ...outcome,
    output,
    files,
    tests,
    test: (title) => {
      const found = tests.find((test) => test.title === title)
      if (found === undefined) throw new Error(`no test "${title}" in the report\n${output}`)
      return found
    },
    file: (name) => {
      const found = files.find((file) => file.name.endsWith(`/${name}`))
      if (found === undefined) throw new Error(`no ${name} in the report\n${output}`)
      return found
    },
  }
}
