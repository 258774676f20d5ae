/**
 * docs/compliance.md: what works with which client. It is rendered from docs/compliance.json, which holds what a run saw.
 *
 * `npm run compliance:table`: runs the script with every client, writes both files. `npm run check:compliance` (`--check`)
 * runs nothing: the table must be what the JSON says, and every client must have a cell for every step in every isolation. The tests
 * compare each cell with what they see. `--render` writes the table from the JSON as it is.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClientName, clientNames } from '../packages/vivarium/test/compliance/clients.ts'
import { type Committed, versionOf } from '../packages/vivarium/test/compliance/outcomes.ts'
import { script, stepNames } from '../packages/vivarium/test/compliance/script.ts'
import { isolations } from '../packages/vivarium/test/support/isolations.ts'
import { packageFolder, root } from './support/paths.ts'
import { report } from './support/report.ts'
import { runTool } from './support/run.ts'

const jsonFile = join(root, 'docs/compliance.json')
const tableFile = join(root, 'docs/compliance.md')
const remedy = 'What to do: npm run compliance:table'

async function update(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'vivarium-compliance-'))
  const env = { ...process.env, VIVARIUM_COMPLIANCE_OUTCOMES: folder }
  try {
    const { code } = await runTool('vitest/vitest.mjs', ['run', 'test/compliance'], { cwd: packageFolder, env })
    if (code !== 0) throw new Error('The clients’ tests failed: see above. Nothing was written.')
    const before = readCommitted()
    const clients = clientNames.map((name) => {
      const seen = readOutcome(join(folder, `${name}.json`))?.clients[name]
      if (seen === undefined) console.log(`${name} did not run here; its column stays as it was.`)
      return [name, seen ?? before.clients[name]]
    })
    writeFileSync(jsonFile, `${JSON.stringify({ clients: Object.fromEntries(clients) }, null, 2)}\n`)
    writeFileSync(tableFile, render(readCommitted()))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function check(): void {
  const committed = readCommitted()
  const problems: string[] = []
  for (const name of clientNames) {
    for (const step of stepNames) {
      for (const isolation of isolations) {
        const cell = committed.clients[name]?.steps[step]?.[isolation] ?? ''
        if (/^(yes(, .+)?|no: .+)$/.test(cell)) continue
        problems.push(
          `docs/compliance.json: "${cell}" is no cell (${name}, ${step}, isolation '${isolation}'). ${remedy}`,
        )
      }
    }
  }
  for (const name of clientNames) {
    // psql is the machine's own; the others are what the lock file says.
    if (name === 'psql') continue
    for (const seen of (committed.clients[name]?.version ?? '').split(' on ')) {
      const [dependency = ''] = seen.split(' ')
      const installed = `${dependency} ${versionOf(dependency)}`
      if (seen !== installed) problems.push(`docs/compliance.json: ran "${seen}", installed is ${installed}. ${remedy}`)
    }
  }
  if (render(committed) !== readFileSync(tableFile, 'utf8')) {
    problems.push(`docs/compliance.md is not what docs/compliance.json says. ${remedy}`)
  }
  report('compliance', problems, `${clientNames.length} clients, ${stepNames.length} steps`)
}

function readCommitted(): Committed {
  return JSON.parse(readFileSync(jsonFile, 'utf8')) as Committed
}

function readOutcome(file: string): Committed | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Committed
  } catch {
    return undefined
  }
}

function render({ clients }: Committed): string {
  const notes: string[] = []
  const noted = (text: string): string => {
    if (!notes.includes(text)) notes.push(text)
    return `[${notes.indexOf(text) + 1}](#notes)`
  }
  const shown = (cell: string): string => {
    if (cell.startsWith('no: ')) return `no ${noted(`${cell.slice('no: '.length)}.`)}`
    return cell.startsWith('yes, ') ? `yes ${noted(`It ${cell.slice('yes, '.length)}.`)}` : cell
  }
  const tables = isolations.map((isolation) => {
    const cellOf = (name: ClientName, step: (typeof stepNames)[number]): string =>
      shown(clients[name]?.steps[step]?.[isolation] ?? '')
    const rows = stepNames.map((step) => [script[step].title, ...clientNames.map((name) => cellOf(name, step))])
    return `## Isolation \`'${isolation}'\`\n\n${table(['step', ...clientNames], rows)}`
  })
  const versions = table(
    ['client', 'what ran'],
    clientNames.map((name) => [name, clients[name]?.version ?? '']),
  )
  const observables = table(
    ['step', 'what must be observable'],
    stepNames.map((step) => [script[step].title, script[step].observable]),
  )
  return `${introduction}\n${versions}\n\n${tables.join('\n\n')}\n\n## Notes\n\n${notes
    .map((note, index) => `${index + 1}. ${note}`)
    .join('\n')}\n\n## The steps\n\n${stepsIntroduction}\n\n${observables}\n\n${ending}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

const introduction = `# What works with which client

<!-- Written by \`npm run compliance:table\` from what a run saw. The tests compare every cell with what they see. -->

The same application-like script, carried out with each client's own API, its URL being all that it knows of Vivarium. In this process a client
reaches the gateway in memory; pg and postgres-js run over TCP too, psql is another process with the sandbox's pinned URL.
`

const stepsIntroduction = `A “yes” means that the application saw exactly what it must see, that a connection which the client knows nothing of found the right rows
afterwards, that no fidelity warning came but those named, and that the sandbox had nothing to report when it closed. A “no” of the isolation is
tested as well, where there is anything to see.`

const ending = `## Another client

One entry in \`packages/vivarium/test/compliance/clients.ts\`, one folder of that name beside it with a \`script.test.ts\` that says how the
client is opened and closed and how it carries out each step, and \`npm run compliance:table\`.
`

if (process.argv.includes('--check')) check()
else if (process.argv.includes('--render')) writeFileSync(tableFile, render(readCommitted()))
else await update()
