import pg from 'pg'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Sandbox } from '../../src/index.ts'
import { openCuttingProxy } from '../support/cutting-proxy.ts'
import { isolations } from '../support/isolations.ts'
import { PlainDatabases } from '../support/plain-database.ts'
import { migrations } from '../support/plain-server.ts'
import { plainServerOf, useVivarium } from '../support/vivarium.ts'

/** What a client library says of a step: its rows, or its error. */
type Said = unknown

/** One connection of a client library, and another one to look from. */
interface Client {
  run(text: string, params?: readonly (string | number)[]): Promise<unknown>
  /** Runs on another connection. */
  look(text: string): Promise<unknown>
  end(): Promise<void>
}

const viaPg = async (url: string): Promise<Client> => {
  const pool = new pg.Pool({ connectionString: url })
  pool.on('error', () => undefined)
  const client = await pool.connect()
  client.on('error', () => undefined)
  return {
    run: async (text, params) => (await client.query(text, params === undefined ? undefined : [...params])).rows,
    look: async (text) => (await pool.query(text)).rows,
    end: async () => {
      client.release(true)
      await pool.end()
    },
  }
}

const viaPostgresJs = async (url: string): Promise<Client> => {
  let isLost = false
  const sql = postgres(url, { onnotice: () => undefined, max_lifetime: null, onclose: () => void (isLost = true) })
  const reserved = await sql.reserve()
  return {
    run: async (text, params) => {
      // It would write to a socket that is null there, outside of any promise (3.4.9, connection.js, nextWrite).
      if (isLost) throw new Error('the reserved connection is lost')
      const rows =
        params === undefined ? await reserved.unsafe(text).simple() : await reserved.unsafe(text, [...params])
      return [...rows]
    },
    look: async (text) => [...(await sql.unsafe(text))],
    end: () => sql.end({ timeout: 0 }),
  }
}

const clients = { pg: viaPg, 'postgres.js': viaPostgresJs }

/** What the application does, and what it was told at each step. */
type Script = (client: Client) => Promise<Said[]>

async function told(step: () => Promise<unknown>): Promise<Said> {
  try {
    return { rows: await step() }
  } catch (error) {
    const { code, severity, message } = error as { code?: string; severity?: string; message: string }
    // postgres.js names the address in it.
    return { code, severity, message: message.replace(/127\.0\.0\.1:\d+|localhost:\d+/, 'there') }
  }
}

const count = 'select count(*)::int as n from parents'

function script(...steps: (readonly [text: string, params?: readonly (string | number)[]])[]): Script {
  return async (client) => {
    const said: Said[] = []
    for (const [text, params] of steps) said.push(await told(() => client.run(text, params)))
    said.push(await told(() => client.look(count)))
    return said
  }
}

const vivarium = useVivarium()
let databases: PlainDatabases
beforeAll(async () => {
  databases = await PlainDatabases.open(plainServerOf(vivarium), migrations)
})
afterAll(() => databases.close())

/** The script on a database with nothing of ours before it, through a proxy that cuts where it is told. */
async function onPlainServer(
  open: (url: string) => Promise<Client>,
  play: Script,
  cut?: { at: RegExp; moment: 'before' | 'after' },
): Promise<Said[]> {
  const { target, drop } = await databases.create()
  await using proxy = await openCuttingProxy(target, cut?.at ?? /^$/, cut?.moment ?? 'before')
  const { user, password, database } = target
  const client = await open(`postgres://${user}:${password}@127.0.0.1:${proxy.port}/${database}`)
  const said = await play(client)
  await client.end()
  await drop()
  return said
}

describe.each(isolations)('in isolation %s', (isolation) => {
  describe.each(Object.entries(clients))('%s', (_, open) => {
    async function withFault(play: Script, set: (sandbox: Sandbox) => unknown): Promise<Said[]> {
      const sandbox = await vivarium.openSandbox({ isolation })
      const client = await open(vivarium.postgres.url)
      set(sandbox)
      const said = await play(client)
      await client.end()
      await sandbox.close()
      return said
    }

    const duplicate = { code: '23505', message: 'duplicate key value violates unique constraint "parents_pkey"' }

    test.each<[string, Script, Script]>([
      [
        'in a transaction, which is then refused until its rollback',
        script(
          ['begin'],
          ['insert into parents values (3)'],
          ['insert into parents values (1)'],
          ['select 1'],
          ['rollback'],
        ),
        script(
          ['begin'],
          ['insert into parents values (3)'],
          ['insert into parents values (4)'],
          ['select 1'],
          ['rollback'],
        ),
      ],
      [
        'in a transaction that is committed all the same',
        script(['begin'], ['insert into parents values (3)'], ['insert into parents values (1)'], ['commit']),
        script(['begin'], ['insert into parents values (3)'], ['insert into parents values (4)'], ['commit']),
      ],
      [
        'behind a savepoint that is gone back to',
        script(
          ['begin'],
          ['insert into parents values (3)'],
          ['savepoint s'],
          ['insert into parents values (1)'],
          ['rollback to s'],
          ['commit'],
        ),
        script(
          ['begin'],
          ['insert into parents values (3)'],
          ['savepoint s'],
          ['insert into parents values (4)'],
          ['rollback to s'],
          ['commit'],
        ),
      ],
      [
        'outside a transaction',
        script(['insert into parents values (1)'], ['select 1 as one']),
        script(['insert into parents values (4)'], ['select 1 as one']),
      ],
      [
        'with parameters',
        script(['begin', []], ['insert into parents values ($1)', [1]], ['select 1', []], ['rollback', []]),
        script(['begin', []], ['insert into parents values ($1)', [4]], ['select 1', []], ['rollback', []]),
      ],
      [
        'among several statements of one text',
        script(['insert into parents values (3); insert into parents values (1); insert into parents values (5)']),
        script(['insert into parents values (3); insert into parents values (4); insert into parents values (5)']),
      ],
      [
        'among several statements of one text with a transaction in it',
        script(['begin; insert into parents values (1); commit'], ['select 1'], ['rollback']),
        script(['begin; insert into parents values (4); commit'], ['select 1'], ['rollback']),
      ],
    ])('a statement that fails %s is as one that really fails', async (_where, real, broken) => {
      const said = await withFault(broken, ({ fault }) =>
        fault.query({ text: /insert into parents values \((4|\$1)\)/ }).fails(duplicate),
      )
      expect(said).toEqual(await onPlainServer(open, real))
    })

    const violated = {
      code: '23503',
      message: 'insert or update on table "nodes" violates foreign key constraint "nodes_next_fkey"',
    }

    test.each<[string, (next: number) => Script]>([
      [
        '',
        (next) =>
          script(
            ['begin'],
            ['insert into parents values (3)'],
            [`insert into nodes values (1, ${next})`],
            ['commit'],
            ['select 1 as one'],
          ),
      ],
      [
        ' with parameters',
        (next) =>
          script(
            ['begin', []],
            ['insert into parents values (3)', []],
            ['insert into nodes values (1, $1)', [next]],
            ['commit', []],
            ['select 1 as one', []],
          ),
      ],
      [
        ' at the end of a text',
        (next) =>
          script(
            [`begin; insert into parents values (3); insert into nodes values (1, ${next}); commit`],
            ['select 1 as one'],
          ),
      ],
      [
        ' in the middle of a text',
        (next) =>
          script(
            [`begin; insert into nodes values (1, ${next}); commit; insert into parents values (3)`],
            ['select 1 as one'],
          ),
      ],
    ])('a COMMIT that fails%s is as one that really fails, and its transaction is undone', async (_where, play) => {
      const said = await withFault(play(1), ({ fault }) => fault.query('commit').fails(violated))
      expect(said).toEqual(await onPlainServer(open, play(99)))
    })

    test.each<['before' | 'after', string, Script, RegExp]>(
      (['before', 'after'] as const).flatMap(
        (moment) =>
          [
            [
              moment,
              'a statement outside a transaction',
              script(['insert into parents values (3)'], ['select 1']),
              /insert into parents/,
            ],
            [
              moment,
              'a statement in a transaction',
              script(['begin'], ['insert into parents values (3)'], ['select 1']),
              /insert into parents/,
            ],
            [
              moment,
              'a COMMIT',
              script(['begin'], ['insert into parents values (3)'], ['commit'], ['select 1']),
              /commit/,
            ],
            [
              moment,
              'a statement with parameters',
              script(['insert into parents values ($1)', [3]], ['select 1']),
              /insert into parents/,
            ],
            [
              moment,
              'a COMMIT with parameters before it',
              script(['begin', []], ['insert into parents values ($1)', [3]], ['commit', []], ['select 1']),
              /commit/,
            ],
            [moment, 'a BEGIN', script(['begin'], ['select 1']), /begin/],
            [
              moment,
              'a ROLLBACK',
              script(['begin'], ['insert into parents values (3)'], ['rollback'], ['select 1']),
              /rollback/,
            ],
          ] as ['before' | 'after', string, Script, RegExp][],
      ),
    )('a connection lost %s %s is as one that is really cut', async (moment, _what, play, at) => {
      const said = await withFault(play, ({ fault }) => fault.query(at).losesConnection(moment))
      expect(said).toEqual(await onPlainServer(open, play, { at, moment }))
    })

    test('a connection that an administrator terminates is told so, and ended', async () => {
      const play = script(
        ['begin'],
        ['insert into parents values (3)'],
        ['select pg_terminate_backend(pg_backend_pid())'],
        ['select 1'],
      )
      const broken = script(['begin'], ['insert into parents values (3)'], ['select 17'], ['select 1'])
      const said = await withFault(broken, ({ fault }) =>
        fault
          .query('select 17')
          .fails({ code: '57P01', message: 'terminating connection due to administrator command' }),
      )
      expect(said).toEqual(await onPlainServer(open, play))
    })
  })
})
