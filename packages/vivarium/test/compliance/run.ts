import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Sandbox } from '../../src/index.ts'
import type { Isolation } from '../../src/core/options.ts'
import { isolations } from '../support/isolations.ts'
import { closeError, type TestVivarium, useVivarium } from '../support/vivarium.ts'
import { connect, errorOf, rowsOf, type WireConnection, WireError } from '../support/wire.ts'
import type { ComplianceClient, No, NotInTransaction, OpenOptions, StepContext } from './client.ts'
import { Outcomes } from './outcomes.ts'
import { script, type Step, type StepName, stepNames } from './script.ts'

/** How a client of this process reaches the gateway. */
export type Transport = 'memory' | 'tcp'

const migrations = fileURLToPath(new URL('./migrations', import.meta.url))

/** Runs the script with one client: every step, in every isolation, over every transport. */
export function describeCompliance<App>(client: ComplianceClient<App>, transports: readonly Transport[]): void {
  const outcomes = new Outcomes(client.name, client.version)
  afterAll(() => outcomes.finish())
  for (const transport of transports) {
    describe.each(isolations)(`${client.name} in isolation '%s' (${transport})`, (isolation) => {
      useTransport(transport)
      const vivarium = useVivarium({ migrations, isolation })
      test.each(stepNames.map((name) => [script[name].title, name] as const))('%s', async (_title, name) => {
        outcomes.saw(name, isolation, await carryOut(client, name, vivarium, isolation))
      })
    })
  }
}

/** The gateway reads the variable when it opens. */
function useTransport(transport: Transport): void {
  const before = process.env['VIVARIUM_TRANSPORT']
  beforeAll(() => {
    if (transport === 'tcp') process.env['VIVARIUM_TRANSPORT'] = 'tcp'
    else delete process.env['VIVARIUM_TRANSPORT']
  })
  afterAll(() => {
    if (before === undefined) delete process.env['VIVARIUM_TRANSPORT']
    else process.env['VIVARIUM_TRANSPORT'] = before
  })
}

type AnyWork<App> = (context: StepContext<App>) => Promise<unknown>

/** Carries out one step in a sandbox of its own, compares what must be observable, and returns its cell of the table. */
async function carryOut<App>(
  client: ComplianceClient<App>,
  name: StepName,
  vivarium: TestVivarium,
  isolation: Isolation,
): Promise<string> {
  const step = script[name] as Step<unknown>
  const differs = isolation === 'transaction' ? step.inTransaction : undefined
  const given: AnyWork<App> | NotInTransaction<AnyWork<App>> | No = client.steps[name]
  if ('no' in given) return `no: ${given.no}`
  if (differs?.expected === 'not run') return `no: ${String(differs.no)}`
  if ('work' in given && isolation === 'transaction') return `no: ${given.notInTransaction}`
  const work = 'work' in given ? given.work : given

  let sandbox = await vivarium.openSandbox({ title: `${client.name}: ${step.title}` })
  const opened: App[] = []
  const url = client.usesPinnedUrl === true ? sandbox.postgres.url : vivarium.postgres.url
  const open = async (options: OpenOptions = {}): Promise<App> => {
    const app = await client.open(url, options)
    opened.push(app)
    return app
  }
  const role = `compliance_${randomBytes(6).toString('hex')}`
  try {
    if (name === 'roles') await makeRole(sandbox, role)
    const context: StepContext<App> = {
      app: await open(),
      url,
      isolation,
      get sandbox() {
        return sandbox
      },
      role,
      open,
      nextSandbox: async () => {
        await sandbox.close()
        sandbox = await vivarium.openSandbox({ title: `${client.name}: ${step.title}, again` })
      },
    }
    expect(await work(context)).toEqual(differs?.expected ?? step.expected)
    expect(await leftIn(sandbox)).toEqual((step.leaves ?? ['apples', 'bread', 'cheese']).toSorted())
  } finally {
    await Promise.all(opened.map((app) => client.close(app)))
    if (name === 'roles') await dropRole(sandbox, role)
  }
  const warnings = [...new Set(sandbox.fidelityWarnings.map(({ kind }) => kind))].toSorted()
  expect(warnings).toEqual(differs?.warnings ?? [])
  expect(await closeError(sandbox)).toBeUndefined()
  if (differs?.no !== undefined) return `no: ${differs.no}`
  if (warnings.length === 0) return 'yes'
  return `yes, warns \`${warnings.join('`, `')}\`: ${String(differs?.because)}`
}

/** The products, as a connection sees them that the client knows nothing of; many of one kind are counted. */
async function leftIn(sandbox: Sandbox): Promise<string[]> {
  const rows = await observe(sandbox, [
    `select kind || case when count(*) > 1 then ' × ' || count(*) else '' end
       from (select regexp_replace(sku, '-\\d+$', '') as kind from products) as kinds group by kind order by kind`,
  ])
  return rows.map(([kind]) => String(kind)).toSorted()
}

/** Makes a role with one document of its own, beside one of somebody else. */
async function makeRole(sandbox: Sandbox, role: string): Promise<void> {
  await observe(sandbox, [
    `create role ${role}`,
    `grant select on documents to ${role}`,
    `insert into documents values (1, '${role}', 'its own'), (2, 'somebody else', 'not its own')`,
  ])
}

/** Roles belong to the whole server: what a real commit has made is taken away again. */
async function dropRole(sandbox: Sandbox, role: string): Promise<void> {
  await observe(sandbox, [`drop owned by ${role}`, `drop role ${role}`])
}

/** Runs statements on a connection of their own and returns the last one's rows. */
async function observe(sandbox: Sandbox, statements: readonly string[]): Promise<(string | null)[][]> {
  const connection: WireConnection = await connect(sandbox.postgres.url)
  let rows: (string | null)[][] = []
  for (const text of statements) {
    const answers = await connection.query(text)
    if (errorOf(answers) !== undefined) throw new WireError(`failed: ${text}`, answers)
    rows = rowsOf(answers)
  }
  await connection.end()
  return rows
}
