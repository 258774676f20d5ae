import { expect, test, vi } from 'vitest'
import { openVivarium } from '../../src/index.ts'
import { joinVivarium } from '../../src/vivarium/join.ts'
import { migrations } from '../support/plain-server.ts'
import { inSandbox, useVivarium } from '../support/vivarium.ts'
import { connect, errorOf, rowsOf, type WireConnection } from '../support/wire.ts'

const vivarium = useVivarium()

async function firstIds(connection: WireConnection): Promise<(string | null)[]> {
  const ids: (string | null)[] = []
  for (const text of [
    `insert into items (name) values ('next') returning id`,
    `insert into labels (label) values ('next') returning id`,
    `insert into optional_labels (label) values ('next') returning id`,
    `select nextval('tickets')`,
    `select nextval('unused_numbers')`,
    `insert into accounts (owner) values ('next') returning id`,
  ]) {
    ids.push(rowsOf(await connection.query(text))[0]?.[0] ?? null)
  }
  return ids
}

const fresh = ['4', '1', '50', '100', '1', '1']

test.each<[string, string[]]>([
  ['used', []],
  ['used in a rolled-back transaction', ['begin', `select nextval('tickets'), nextval('items_id_seq')`, 'rollback']],
  ['used in a failing statement', [`select nextval('tickets'), 1 / 0`, `insert into items (name) values ('apple')`]],
  ['used in a rolled-back savepoint', ['begin', 'savepoint a', `select nextval('tickets')`, 'rollback to a', 'commit']],
  ['set ahead', [`select setval('tickets', 5000)`, `select setval('items_id_seq', 77, false)`]],
  ['set back', [`select setval('items_id_seq', 1, false)`, `select setval('unused_numbers', 1)`]],
  [
    'restarted',
    ['alter sequence tickets restart', 'alter sequence items_id_seq restart with 900', `select nextval('tickets')`],
  ],
  [
    'restarted by an altered table',
    ['alter table labels alter column id restart with 70', `insert into labels (label) values ('x')`],
  ],
  ['restarted by truncate', ['truncate items, labels restart identity', `insert into items (name) values ('x')`]],
  [
    'restarted by truncate that is rolled back',
    ['begin', 'truncate items restart identity', `insert into items (name) values ('x')`, 'rollback'],
  ],
  [
    'used, then restarted by truncate, then used',
    [
      `insert into items (name) values ('x')`,
      'truncate items restart identity',
      `insert into items (name) values ('y')`,
    ],
  ],
  ['dropped with their table', ['drop table accounts', 'drop sequence unused_numbers']],
  [
    'altered',
    [
      'alter sequence tickets increment by 1000',
      `select nextval('tickets')`,
      'alter sequence tickets owned by parents.id',
    ],
  ],
  [
    'created anew under the same name',
    ['drop sequence unused_numbers', 'create sequence unused_numbers start 500', `select nextval('unused_numbers')`],
  ],
  ['used a thousand times', [`select count(nextval('tickets')) from generate_series(1, 1000)`]],
])('sequences give the same ids in the next sandbox when they were %s', async (_how, statements) => {
  await inSandbox(vivarium, async (connection) => {
    for (const text of statements) await connection.query(text)
    await firstIds(connection)
  })
  await inSandbox(vivarium, async (connection) => {
    expect(await firstIds(connection)).toEqual(fresh)
  })
})

test('whether a sequence was called yet comes back too', async () => {
  await inSandbox(vivarium, (connection) => connection.query(`select nextval('unused_numbers'), nextval('tickets')`))
  await inSandbox(vivarium, async (connection) => {
    expect(rowsOf(await connection.query('select last_value, is_called from unused_numbers'))).toEqual([['1', 'f']])
    expect(rowsOf(await connection.query('select last_value, is_called from items_id_seq'))).toEqual([['3', 't']])
  })
})

test('currval and lastval of one sandbox are not known in the next', async () => {
  const connection = await connect(vivarium.postgres.url)
  const first = await vivarium.openSandbox()
  await connection.query(`select nextval('tickets')`)
  expect(rowsOf(await connection.query(`select currval('tickets'), lastval()`))).toEqual([['100', '100']])
  await first.close()
  const second = await vivarium.openSandbox()
  expect(errorOf(await connection.query(`select currval('tickets')`))?.['C']).toBe('55000')
  expect(errorOf(await connection.query('select lastval()'))?.['C']).toBe('55000')
  await connection.end()
  await second.close()
})

test('in a nested sandbox sequences go on from where its parent had them, every time', async () => {
  const file = await vivarium.openSandbox({ title: 'file' })
  const connection = await connect(vivarium.postgres.url)
  await connection.query(`insert into items (name) values ('beforeAll'); select setval('tickets', 300, false)`)
  for (const round of [1, 2, 3]) {
    const inner = await vivarium.openSandbox({ within: file })
    expect(
      rowsOf(await connection.query(`insert into items (name) values ('x') returning id`)),
      `round ${round}`,
    ).toEqual([['5']])
    expect(rowsOf(await connection.query(`select nextval('tickets')`)), `round ${round}`).toEqual([['300']])
    await inner.close()
  }
  await connection.end()
  await file.close()
  await inSandbox(vivarium, async (next) => expect(await firstIds(next)).toEqual(fresh))
})

test('sequences give the same ids on a server that does not count blocks', async () => {
  // A server of our own: nobody else's is reconfigured.
  vi.stubEnv('VIVARIUM_POSTGRES_URL', undefined)
  const first = await openVivarium({ postgres: { migrations } })
  const admin = await connect(first.postgres.serverUrl)
  try {
    await admin.query('alter system set track_counts = off')
    await admin.query('select pg_reload_conf()')
    // A new connection has the new setting; this one may take a moment longer.
    for (let shown = 'on'; shown !== 'off';) {
      const asking = await connect(first.postgres.serverUrl)
      shown = rowsOf(await asking.query('show track_counts'))[0]?.[0] ?? ''
      await asking.end()
    }
    await using worker = await joinVivarium(first.describe())
    for (const round of [1, 2]) {
      const sandbox = await worker.openSandbox({ title: `round ${round}` })
      const connection = await connect(worker.postgres.url)
      expect(await firstIds(connection), `round ${round}`).toEqual(fresh)
      await connection.end()
      await sandbox.close()
    }
  } finally {
    await admin.end()
    await first.close()
    vi.unstubAllEnvs()
  }
})
