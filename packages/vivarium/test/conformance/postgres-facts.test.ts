import { expect, test } from 'vitest'
import { closeCodes, inEveryClone, inSandbox, useVivarium, wordsOf } from '../support/vivarium.ts'
import {
  bind,
  connect,
  copyData,
  copyDone,
  describePortal,
  describeStatement,
  errorOf,
  execute,
  flush,
  noticesOf,
  parse,
  query,
  rowsOf,
  run,
  statusOf,
  sync,
  tagsOf,
  type WireConnection,
} from '../support/wire.ts'

const vivarium = useVivarium({ waitMs: 400 })

async function ids(connection: WireConnection): Promise<(string | null)[]> {
  return rowsOf(await connection.query('select id from parents where id > 2 order by id')).map(([id]) => id ?? null)
}

test('rule 1: the unit outside a transaction is the implicit transaction of one Query or of everything up to Sync', async () => {
  await inSandbox(vivarium, async (connection) => {
    await connection.query('insert into parents values (3); select 1 / 0')
    connection.send(run('insert into parents values (4)'), run('select 1 / 0'), sync())
    await connection.until('Z')
    await connection.query('insert into parents values (5); begin; insert into parents values (6); rollback')
    expect(await ids(connection)).toEqual([])
    await connection.query('insert into parents values (7); commit; insert into parents values (8); select 1 / 0')
    expect(await ids(connection)).toEqual(['7'])
  })
})

test('rule 2: text of several statements is parsed as a whole before any of it runs', async () => {
  await inSandbox(vivarium, async (connection) => {
    const answers = await connection.query('begin; insert into parents values (3); commit; selec 1')
    expect(answers.map(({ type }) => type)).toEqual(['ErrorResponse', 'ReadyForQuery'])
    expect(errorOf(answers)?.['P']).toBe('48')
    expect(statusOf(answers)).toBe('I')
    expect(await ids(connection)).toEqual([])
  })
})

test('rule 3: nothing is pipelined behind a COPY FROM STDIN, whatever the client pipelines', async () => {
  await inSandbox(vivarium, async (connection) => {
    connection.send(
      query('copy parents (id) from stdin'),
      copyData('3\n'),
      copyDone(),
      run('select 1'),
      sync(),
      query('select 2'),
    )
    const answers = await connection.until('Z', 3)
    expect(errorOf(answers)).toBeUndefined()
    expect(tagsOf(answers)).toEqual(['COPY 1', 'SELECT 1', 'SELECT 1'])
  })
})

/** One in ten fails, one in ten writes: a subtransaction that has written and was not released keeps a lock. */
const unitTexts = ['select 1 / 0', `insert into labels (label) values ('x')`]

/** Locks of the real session. */
async function lockCount(connection: WireConnection): Promise<number> {
  return Number(rowsOf(await connection.query('select count(*) from pg_locks where pid = pg_backend_pid()'))[0]?.[0])
}

test('rule 4: twenty thousand units in one sandbox exhaust nothing', async () => {
  await inSandbox(vivarium, async (connection) => {
    const batch = Buffer.concat(Array.from({ length: 1000 }, (_, n) => query(unitTexts[n % 10] ?? 'select 1')))
    for (let round = 0; round < 20; round += 1) {
      connection.send(batch)
      const answers = await connection.until('Z', 1000, 20_000)
      expect(answers.filter(({ code }) => code === 'E')).toHaveLength(100)
    }
    expect(await lockCount(connection)).toBeLessThan(50)
    expect(errorOf(await connection.query('create table still_works (id integer)'))).toBeUndefined()
  })
}, 60_000)

test('rule 4: five thousand savepoints of the application in one transaction are released as it releases them', async () => {
  await inSandbox(vivarium, async (connection) => {
    await connection.query('begin')
    const one = query('savepoint s; insert into labels (label) values (1); release s')
    for (let round = 0; round < 10; round += 1) {
      connection.send(Buffer.concat(Array.from({ length: 500 }, () => one)))
      expect(errorOf(await connection.until('Z', 500, 20_000))).toBeUndefined()
    }
    expect(await lockCount(connection)).toBeLessThan(50)
    await connection.query('commit')
    expect(rowsOf(await connection.query('select count(*) from labels'))).toEqual([['5000']])
  })
}, 60_000)

test('rule 5: the guard against real commits is hidden from the application', async () => {
  await inSandbox(vivarium, async (connection) => {
    for (const name of ['default_transaction_read_only', 'transaction_read_only']) {
      expect(rowsOf(await connection.query(`show ${name}`)), name).toEqual([['off']])
      expect(rowsOf(await connection.query(`select current_setting('${name}')`)), name).toEqual([['off']])
    }
    expect(
      rowsOf(await connection.query(`select setting from pg_settings where name = 'default_transaction_read_only'`)),
    ).toEqual([['off']])
    const told = connection.startupAnswers.find(({ fields }) => fields['name'] === 'default_transaction_read_only')
    expect(told?.fields['value']).toBe('off')
  })
})

test('rule 6: an error without Sync does not swallow the rollback at close', async () => {
  const sandbox = await vivarium.openSandbox()
  const connection = await connect(vivarium.postgres.url)
  await connection.query('insert into parents values (3)')
  connection.send(run('select 1 / 0'), flush())
  await connection.until('E')
  await closeCodes(sandbox)
  await inSandbox(vivarium, async (next) => expect(await ids(next)).toEqual([]))
  expect(await inEveryClone(vivarium, 'select id from parents where id > 2')).toEqual([])
})

test('rule 7: pg_terminate_backend of itself ends the connection, not the sandbox', async () => {
  await inSandbox(vivarium, async (watcher) => {
    const victim = await connect(vivarium.postgres.url)
    await watcher.query('insert into parents values (3)')
    victim.send(query('select pg_terminate_backend(pg_backend_pid())'))
    const answers = await victim.until('Z').catch((error: { arrived: never[] }) => error.arrived)
    // Emulated (57P01, the connection ends) or refused with the remedy: never the end of the real session.
    expect(errorOf(answers)?.['C']).toMatch(/57P01|0A000/)
    victim.socket.destroy()
    expect(await ids(watcher)).toEqual(['3'])
  })
})

/** Ends the real session while a statement of the sandbox runs in it. */
async function loseSession(connection: WireConnection): Promise<void> {
  connection.send(query(`do $$ begin raise notice 'running'; perform pg_sleep(30) /* the victim */; end $$`))
  await connection.until('N')
  await inEveryClone(
    vivarium,
    `select pg_terminate_backend(pid) from pg_stat_activity where query like '%/* the victim */%' and pid <> pg_backend_pid()`,
  )
  await connection.untilClosed()
}

test('rule 7: losing the real session fails the sandbox and says so, and the next sandbox works', async () => {
  const sandbox = await vivarium.openSandbox()
  const connection = await connect(vivarium.postgres.url)
  await connection.query(`begin; set local application_name = 'the victim'; insert into parents values (3)`)
  await loseSession(connection)
  expect(await closeCodes(sandbox)).toContain('SANDBOX_BROKEN')
  await inSandbox(vivarium, async (next) => expect(await ids(next)).toEqual([]))
})

test('rule 7: a file whose beforeAll did nothing goes on with a new session after one of its tests lost it', async () => {
  const file = await vivarium.openSandbox({ title: 'file' })
  const unlucky = await vivarium.openSandbox({ title: 'unlucky', within: file })
  await loseSession(await connect(vivarium.postgres.url))
  expect(await closeCodes(unlucky)).toEqual(['SANDBOX_BROKEN'])
  const next = await vivarium.openSandbox({ title: 'next', within: file })
  const connection = await connect(vivarium.postgres.url)
  await connection.query('insert into parents values (3)')
  expect(await ids(connection)).toEqual(['3'])
  await connection.end()
  expect(await closeCodes(next)).toEqual([])
  expect(await closeCodes(file)).toEqual([])
})

test('rule 7: a file whose beforeAll wrote fails as a whole when one of its tests lost the session', async () => {
  const file = await vivarium.openSandbox({ title: 'file' })
  const connection = await connect(vivarium.postgres.url)
  await connection.query('insert into parents values (3)')
  await connection.end()
  const unlucky = await vivarium.openSandbox({ title: 'unlucky', within: file })
  await loseSession(await connect(vivarium.postgres.url))
  expect(await closeCodes(unlucky)).toContain('SANDBOX_BROKEN')
  await expect(vivarium.openSandbox({ title: 'next', within: file })).rejects.toMatchObject({ code: 'SANDBOX_BROKEN' })
  expect(await closeCodes(file)).toContain('SANDBOX_BROKEN')
  await inSandbox(vivarium, async (after) => expect(await ids(after)).toEqual([]))
})

test.each(['idle_in_transaction_session_timeout', 'transaction_timeout', 'idle_session_timeout'])(
  'rule 7: %s set by the application does not end the sandbox',
  async (name) => {
    await inSandbox(vivarium, async (connection) => {
      await connection.query('insert into parents values (3)')
      await connection.query(`set ${name} = '50ms'`)
      await connection.query('select 1')
      // The session is idle inside its transaction for longer than that, by the server's own clock.
      await inEveryClone(vivarium, 'select pg_sleep(0.2)')
      expect(await ids(connection)).toEqual(['3'])
    })
  },
)

test('rule 8: transaction control as described named statements is answered in order', async () => {
  await inSandbox(vivarium, async (connection) => {
    const step = async (text: string): Promise<string[]> => {
      const name = `s_${text}`
      connection.send(
        parse(text, name),
        describeStatement(name),
        bind({ statement: name }),
        describePortal(),
        execute(),
        sync(),
      )
      return (await connection.until('Z')).map(({ type, fields }) =>
        `${type} ${String(fields['tag'] ?? fields['status'] ?? '')}`.trim(),
      )
    }
    const answers = (tag: string, status: string): string[] => [
      'ParseComplete',
      'ParameterDescription',
      'NoData',
      'BindComplete',
      'NoData',
      `CommandComplete ${tag}`,
      `ReadyForQuery ${status}`,
    ]
    expect(await step('begin')).toEqual(answers('BEGIN', 'T'))
    expect(await step('savepoint "s0"')).toEqual(answers('SAVEPOINT', 'T'))
    expect(await step('rollback to "s0"')).toEqual(answers('ROLLBACK', 'T'))
    expect(await step('release "s0"')).toEqual(answers('RELEASE', 'T'))
    expect(await step('commit')).toEqual(answers('COMMIT', 'I'))
  })
})

test("rule 9: an error in one connection's transaction never shows on another", async () => {
  await inSandbox(vivarium, async (one) => {
    const two = await connect(vivarium.postgres.url)
    await one.query('insert into parents values (3)')
    await one.query('begin; savepoint a')
    expect(statusOf(await one.query('select 1 / 0'))).toBe('E')
    two.send(query('select 1'))
    expect(errorOf(await one.query('select 1'))?.['C']).toBe('25P02')
    await one.query('rollback')
    expect(rowsOf(await two.until('Z'))).toEqual([['1']])
    expect(await ids(two)).toEqual(['3'])
    await two.end()
  })
})

test('rule 10: an isolation level that cannot be given is accepted with a fidelity warning', async () => {
  await inSandbox(vivarium, async (connection, sandbox) => {
    expect(errorOf(await connection.query('begin isolation level serializable; select 1; commit'))).toBeUndefined()
    const warning = sandbox.fidelityWarnings.find(({ message }) => /isolation/i.test(message))
    expect(warning?.component).toBe('postgres')
    expect(warning?.message).toMatch(/serializable/i)
  })
})

test('rule 10: two-phase commit is refused with the remedy', async () => {
  await inSandbox(vivarium, async (connection) => {
    await connection.query('begin; insert into parents values (3)')
    const error = errorOf(await connection.query(`prepare transaction 'x'`))
    expect(error?.['C']).toBe('0A000')
    expect(wordsOf(error)).toMatch(/database of its own|isolation/)
    await connection.query('rollback')
    expect(await ids(connection)).toEqual([])
  })
})

test('rule 11: deferred constraints are checked at the end of every virtual transaction, and deferred again after it', async () => {
  await inSandbox(vivarium, async (connection) => {
    for (const round of [1, 2]) {
      expect(errorOf(await connection.query('insert into nodes values (1, 2)'))?.['C'], `round ${round}`).toBe('23503')
      const good = await connection.query(
        'begin; insert into nodes values (1, 2); insert into nodes values (2, 1); commit',
      )
      expect(errorOf(good), `round ${round}`).toBeUndefined()
      expect(errorOf(await connection.query('update slots set pos = 2 where id = 1'))?.['C'], `round ${round}`).toBe(
        '23505',
      )
      await connection.query('delete from nodes')
    }
  })
})

test.each([
  [`alter type mood add value 'angry'; commit; insert into items (name, mood) values ('x', 'angry')`, /database/],
  ['vacuum parents', /isolation|database of its own/],
  ['create index concurrently i on parents (name)', /isolation|database of its own/],
  ['do $$ begin insert into parents values (3); commit; end $$', /isolation|database of its own/],
])('rule 12: a failure that production would not have names the way out: %s', async (text, remedy) => {
  await inSandbox(vivarium, async (connection) => {
    const answers = await connection.query(text)
    expect(wordsOf(errorOf(answers))).toMatch(remedy)
    expect(rowsOf(await connection.query('select 1'))).toEqual([['1']])
  })
})

test('rule 13: SET LOCAL and set_config do not outlive their virtual transaction, so row-level security holds', async () => {
  await inSandbox(vivarium, async (connection) => {
    await connection.query(`begin; select set_config('app.owner', 'alice', true)`)
    expect(rowsOf(await connection.query(`select current_setting('app.owner', true)`))).toEqual([['alice']])
    await connection.query('commit')
    expect(rowsOf(await connection.query(`select coalesce(current_setting('app.owner', true), '')`))).toEqual([['']])
    await connection.query(`select set_config('app.owner', 'bob', true)`)
    expect(rowsOf(await connection.query(`select coalesce(current_setting('app.owner', true), '')`))).toEqual([['']])
  })
})

test('rule 14: the application is no superuser, so row-level security applies to it', async () => {
  // A server named by URL may give us a superuser: then there is nothing to see here.
  if (process.env['VIVARIUM_POSTGRES_URL'] !== undefined) return
  await inSandbox(vivarium, async (connection) => {
    expect(rowsOf(await connection.query(`select rolsuper from pg_roles where rolname = current_user`))).toEqual([
      ['f'],
    ])
    expect(rowsOf(await connection.query('select body from secrets'))).toEqual([])
    await connection.query(`set app.owner = 'alice'`)
    expect(rowsOf(await connection.query('select body from secrets'))).toEqual([['a']])
  })
})

test('rule 15: a named statement outlives DEALLOCATE ALL of another connection, and its own DISCARD ALL ends it', async () => {
  await inSandbox(vivarium, async (one) => {
    const two = await connect(vivarium.postgres.url)
    const bound = async (connection: WireConnection): Promise<string | undefined> => {
      connection.send(bind({ statement: 's' }), execute(), sync())
      return errorOf(await connection.until('Z'))?.['C']
    }
    for (const connection of [one, two]) {
      connection.send(parse('select 1', 's'), sync())
      await connection.until('Z')
    }
    expect(errorOf(await one.query('deallocate all'))).toBeUndefined()
    expect([await bound(one), await bound(two)]).toEqual(['26000', undefined])
    expect(errorOf(await two.query('discard all'))).toBeUndefined()
    expect(await bound(two)).toBe('26000')
    await two.end()
  })
})

test("rule 16: a suspended unnamed portal survives the gateway's own messages between two Syncs of a transaction", async () => {
  await inSandbox(vivarium, async (connection) => {
    await connection.query('begin')
    connection.send(parse('select n from generate_series(1, 5) n'), bind(), execute('', 2), sync())
    expect(rowsOf(await connection.until('Z'))).toEqual([['1'], ['2']])
    // What the gateway does for this runs through an unnamed portal of its own.
    connection.send(parse('savepoint s', 'a'), bind({ statement: 'a', portal: 'b' }), execute('b'), sync())
    expect(tagsOf(await connection.until('Z'))).toEqual(['SAVEPOINT'])
    connection.send(execute('', 2), sync())
    expect(rowsOf(await connection.until('Z'))).toEqual([['3'], ['4']])
    await connection.query('commit')
    connection.send(execute('', 2), sync())
    expect(errorOf(await connection.until('Z'))?.['C']).toBe('34000')
  })
})

test('rule 18: what one session cannot refuse to itself is a fidelity warning', async () => {
  await inSandbox(vivarium, async (connection, sandbox) => {
    await connection.query('select pg_try_advisory_lock(1)')
    await connection.query('select id from parents for update skip locked')
    expect(sandbox.fidelityWarnings.map(({ text }) => text)).toEqual(
      expect.arrayContaining([expect.stringContaining('pg_try_advisory_lock'), expect.stringContaining('skip locked')]),
    )
  })
})

test('listening is refused or warned about, never silently deaf', async () => {
  await inSandbox(vivarium, async (connection, sandbox) => {
    const answers = await connection.query('listen something')
    const said =
      wordsOf(errorOf(answers)) +
      noticesOf(answers).map(wordsOf).join() +
      sandbox.fidelityWarnings.map(({ message }) => message).join()
    expect(said).toMatch(/isolation "database"|isolation: 'database'|LISTEN/i)
  })
})
