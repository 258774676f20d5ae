/**
 * Every test that docs/conformance.md names exists: its file, and in that file a test of that name as the runner itself
 * collects it.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { packageFolder, root } from './support/paths.ts'
import { report } from './support/report.ts'
import { runTool } from './support/run.ts'

interface Row {
  line: number
  behaviour: string
  file: string
  name: string
  change: string
}

const problems: string[] = []
const rows = readRows(readFileSync(join(root, 'docs/conformance.md'), 'utf8'))
const present = rows.filter((row) => {
  if (existsSync(join(packageFolder, row.file))) return true
  complain(row, `there is no ${row.file} in packages/vivarium`)
  return false
})
const collected = await collect([...new Set(present.map((row) => row.file))])

for (const row of present) {
  // A collected name is `suite > inner suite > title`; a row may leave suites out from the left.
  const matches = (collected.get(row.file) ?? []).filter((name) => name === row.name || name.endsWith(` > ${row.name}`))
  if (matches.length === 0) complain(row, `${row.file} has no test named "${row.name}"`)
}
const behaviours = new Map<string, Row>()
for (const row of rows) {
  if (row.behaviour === '' || row.change === '') complain(row, 'a cell is empty')
  const key = `${row.behaviour} | ${row.file} | ${row.name}`
  if (behaviours.has(key)) complain(row, 'the same row stands twice')
  behaviours.set(key, row)
}

report('conformance', problems, `${rows.length} rows`)

function complain(row: Row, problem: string): void {
  problems.push(`docs/conformance.md:${row.line}: ${problem}`)
}

/** Rows of the tables: four cells, the heading and its rule left out. */
function readRows(text: string): Row[] {
  return text.split('\n').flatMap((line, index) => {
    if (!line.startsWith('|') || /^\|[\s|:-]+$/.test(line)) return []
    const cells = line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('\\|', '|'))
    if (cells[0] === 'behaviour') return []
    const [behaviour = '', file = '', name = '', change = ''] = cells
    const row = { line: index + 1, behaviour, file: unquoted(file), name: unquoted(name), change }
    if (cells.length !== 4) complain(row, `a row has four cells, this one ${cells.length}`)
    return [row]
  })
}

function unquoted(cell: string): string {
  return /^`(.*)`$/.exec(cell)?.[1] ?? cell
}

/** Names of the tests in `files` as Vitest collects them, by file. */
async function collect(files: string[]): Promise<Map<string, string[]>> {
  const names = new Map<string, string[]>()
  const long = files.filter((file) => file.endsWith('.long.test.ts'))
  const short = files.filter((file) => !file.endsWith('.long.test.ts'))
  const folder = join(root, '.cache')
  mkdirSync(folder, { recursive: true })
  for (const [config, wanted] of [
    ['vitest.config.ts', short],
    ['vitest.long.config.ts', long],
  ] as const) {
    if (wanted.length === 0) continue
    const output = join(folder, `tests-${process.pid}.json`)
    const args = ['list', '--config', config, `--json=${output}`, ...wanted]
    const result = await runTool('vitest/vitest.mjs', args, { cwd: packageFolder, capture: true })
    if (result.code !== 0 || !existsSync(output)) {
      problems.push(`vitest could not collect the tests:\n${result.output}`)
      continue
    }
    for (const test of JSON.parse(readFileSync(output, 'utf8')) as { name: string; file: string }[]) {
      const file = wanted.find((candidate) => join(packageFolder, candidate) === test.file)
      if (file !== undefined) names.set(file, [...(names.get(file) ?? []), test.name])
    }
    rmSync(output, { force: true })
  }
  return names
}
