import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openVivarium, type Vivarium } from '../../src/index.ts'
import { describeIfFound, externalPostgresUrl } from '../support/require.ts'
import { connectTestServer, dropTemplate } from '../support/template-servers.ts'

const total = 300
const atOnce = 30

/** Lets `parties` callers through together, then the next as many. */
class Barrier {
  readonly #parties: number
  #waiting: (() => void)[] = []

  constructor(parties: number) {
    this.#parties = parties
  }

  arrive(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      if (this.#waiting.length < this.#parties) return
      const together = this.#waiting
      this.#waiting = []
      for (const pass of together) pass()
    })
  }
}

/** A schema of this run of the test alone: its template is dropped at the end, whoever else uses the server. */
const schema = `-- ${randomBytes(6).toString('hex')}
create table marks (slot text primary key, mark integer not null);
create table visits (id serial primary key);`

describeIfFound('external-postgres', await externalPostgresUrl(), 'many sandboxes on one external server', (url) => {
  let vivarium: Vivarium
  let admin: pg.Pool
  let folder = ''
  let prefix = ''
  let template = ''

  /** Databases of this run that exist now. */
  const databases = async (): Promise<string[]> => {
    const { rows } = await admin.query<{ datname: string }>(
      'select datname from pg_database where datname like $1 order by 1',
      [prefix],
    )
    return rows.map(({ datname }) => datname)
  }

  beforeAll(async () => {
    admin = new pg.Pool({ connectionString: url, max: 2 })
    folder = await mkdtemp(join(tmpdir(), 'vivarium-many-'))
    await writeFile(join(folder, '0001_schema.sql'), schema)
    vivarium = await openVivarium({ postgres: { url, migrations: folder } })
    const info = vivarium.describe().postgres
    template = info?.run.templateDatabase ?? ''
    prefix = `vivarium\\_%\\_${info?.run.runId}\\_%`
  })

  afterAll(async () => {
    await vivarium?.close()
    if (template !== '') await dropTemplate(await connectTestServer(url), template)
    await admin?.end()
    await rm(folder, { recursive: true, force: true })
  })

  test('300 sandboxes, 30 at once, never see each other, never wait for each other, and leave no database', async () => {
    const together = new Barrier(atOnce)
    let left = total
    let open = 0
    let mostOpen = 0
    const counts: number[] = []
    const seen: unknown[] = []

    const oneSandbox = async (mark: number): Promise<void> => {
      await using sandbox = await vivarium.openSandbox({ concurrent: true, title: `sandbox ${mark}` })
      mostOpen = Math.max(mostOpen, (open += 1))
      const client = new pg.Client({ connectionString: sandbox.postgres.url })
      await client.connect()
      // The same unique key and the same row lock in all of them at the same moment: whoever shared a database with
      // another would wait for it here, and no one passes the barrier until all thirty hold theirs.
      await client.query(`insert into marks values ('the one slot', $1)`, [mark])
      await client.query('select pg_advisory_lock(1)')
      await together.arrive()
      const { rows: marks } = await client.query('select slot, mark from marks')
      const { rows: visits } = await client.query('insert into visits default values returning id')
      seen.push({ mark, marks, visits })
      counts.push((await databases()).length)
      await together.arrive()
      await client.end()
      open -= 1
    }

    const worker = async (): Promise<void> => {
      while (left > 0) await oneSandbox(left--)
    }
    await Promise.all(Array.from({ length: atOnce }, worker))

    const expected = Array.from({ length: total }, (_, index) => index + 1).map((mark) => ({
      mark,
      marks: [{ slot: 'the one slot', mark }],
      visits: [{ id: 1 }],
    }))
    expect([...seen].sort((one, other) => markOf(one) - markOf(other))).toEqual(expected)
    expect(mostOpen).toBe(atOnce)
    expect(counts).toHaveLength(total)
    expect(Math.max(...counts)).toBeLessThanOrEqual(atOnce)
    expect(await databases()).toHaveLength(atOnce)

    await vivarium.close()
    expect(await databases()).toEqual([])
  }, 60_000)
})

function markOf(seen: unknown): number {
  return (seen as { mark: number }).mark
}
