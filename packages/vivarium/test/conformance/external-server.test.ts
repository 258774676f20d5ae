import { randomBytes } from 'node:crypto'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openVivarium, type Sandbox, type Vivarium } from '../../src/index.ts'
import { compare, renderDifferences } from '../differential/compare.ts'
import { everyConnection } from '../differential/every-connection.ts'
import { play } from '../differential/play.ts'
import { scripts } from '../differential/scripts/index.ts'
import { PlainDatabases } from '../support/plain-database.ts'
import { migrations } from '../support/plain-server.ts'
import { describeIfFound, externalPostgresUrl } from '../support/require.ts'
import { connectTestServer, dropTemplate } from '../support/template-servers.ts'
import { closeCodes, plainServerOf } from '../support/vivarium.ts'

/**
 * A sample of all scripts, for every change. All of them, and the rest of the wire tests, run against another server
 * with `VIVARIUM_POSTGRES_URL=… npx vitest run test/conformance test/compliance test/differential`.
 */
const sample = scripts.filter((_, index) => index % 16 === 0)

describeIfFound('external-postgres', await externalPostgresUrl(), 'a server named by URL', (url) => {
  let vivarium: Vivarium
  let databases: PlainDatabases
  let folder = ''

  beforeAll(async () => {
    // A schema of this run of the test alone: its template is dropped at the end.
    folder = await mkdtemp(join(tmpdir(), 'vivarium-external-'))
    await cp(migrations, folder, { recursive: true })
    await writeFile(join(folder, '0002_own.sql'), `comment on table items is '${randomBytes(6).toString('hex')}'`)
    vivarium = await openVivarium({ postgres: { url, migrations: folder } })
    databases = await PlainDatabases.fromTemplate(plainServerOf(vivarium), template())
  })

  afterAll(async () => {
    await databases?.close()
    const built = vivarium === undefined ? '' : template()
    await vivarium?.close()
    if (built !== '') await dropTemplate(await connectTestServer(url), built)
    await rm(folder, { recursive: true, force: true })
  })

  const template = (): string => vivarium.describe().postgres?.run.templateDatabase ?? ''

  /** One test of an application that has a pool on the stable URL. */
  const inOneTest = async (fn: (pool: pg.Pool, sandbox: Sandbox) => Promise<void>, within?: Sandbox): Promise<void> => {
    const sandbox = await vivarium.openSandbox({ within })
    const pool = new pg.Pool({ connectionString: vivarium.postgres.url, max: 3 })
    try {
      await fn(pool, sandbox)
    } finally {
      await pool.end()
      await sandbox.close()
    }
  }

  const stock = async (pool: pg.Pool): Promise<unknown> =>
    (await pool.query('select name, qty from items order by id')).rows

  const untouched = [
    { name: 'apple', qty: 5 },
    { name: 'bread', qty: 2 },
    { name: 'cheese', qty: 0 },
  ]

  test('a workflow commits all of it, or none of it when a step fails, and the next test sees neither', async () => {
    const order = async (pool: pg.Pool, name: string, qty: number): Promise<void> => {
      const client = await pool.connect()
      try {
        await client.query('begin')
        await client.query('insert into labels (label) values ($1)', [`${qty} ${name}`])
        await client.query('update items set qty = qty - $2 where name = $1', [name, qty])
        await client.query('commit')
      } catch (error) {
        await client.query('rollback')
        throw error
      } finally {
        client.release()
      }
    }
    for (const round of [1, 2]) {
      await inOneTest(async (pool, sandbox) => {
        expect(await stock(pool), `round ${round}`).toEqual(untouched)
        await order(pool, 'apple', 2)
        await expect(order(pool, 'bread', 3)).rejects.toMatchObject({ code: '23514' })
        expect(await stock(pool)).toEqual([{ name: 'apple', qty: 3 }, ...untouched.slice(1)])
        const { rows } = await pool.query('select id::int, label from labels')
        expect(rows, `round ${round}`).toEqual([{ id: 1, label: '2 apple' }])
        const updates = sandbox.queries.filter((one) => /^update/i.test(one.text))
        expect(updates.map(({ error }) => error === undefined)).toEqual([true, false])
      })
    }
  })

  test('a failing statement outside a transaction does not poison the test', async () => {
    await inOneTest(async (pool) => {
      await expect(pool.query(`insert into items (name) values ('apple')`)).rejects.toMatchObject({ code: '23505' })
      expect(await stock(pool)).toEqual(untouched)
    })
  })

  test('what the outer sandbox wrote is there for each inner one, which takes away only its own', async () => {
    await inOneTest(async (outer, file) => {
      await outer.query(`insert into parents values (3, 'of the file')`)
      for (const id of [4, 5]) {
        await inOneTest(async (pool) => {
          await pool.query('insert into parents values ($1)', [id])
          const { rows } = await pool.query('select id from parents where id > 2 order by id')
          expect(rows).toEqual([{ id: 3 }, { id }])
        }, file)
      }
    })
  })

  test('a transaction left open is reported and leaves nothing', async () => {
    const sandbox = await vivarium.openSandbox()
    const client = new pg.Client({ connectionString: vivarium.postgres.url })
    client.on('error', () => undefined)
    await client.connect()
    await client.query(`begin; insert into parents values (3, 'left')`)
    expect(await closeCodes(sandbox)).toEqual(['TRANSACTION_LEFT_OPEN'])
    await client.end().catch(() => undefined)
    await inOneTest(async (pool) => {
      expect((await pool.query('select id from parents where id > 2')).rows).toEqual([])
    })
  })

  test.each(sample.map((script) => [script.name, script] as const))(
    'a sandbox answers like a plain connection to it: %s',
    async (_name, script) => {
      const database = await databases.create()
      try {
        const plain = await play(database.target, script)
        await using sandbox = await vivarium.openSandbox({ title: script.name, concurrent: true })
        const other = await play(sandbox.postgres.url, script)
        const { differences } = compare(plain, other, [...everyConnection, ...(script.exclude ?? [])])
        expect(renderDifferences(differences)).toBe('')
      } finally {
        await database.drop()
      }
    },
  )
})
