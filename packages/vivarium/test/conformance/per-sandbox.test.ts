import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import { sql as text } from 'drizzle-orm'
import pg from 'pg'
import postgres from 'postgres'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { perSandbox, type Sandbox } from '../../src/index.ts'
import { isolations } from '../support/isolations.ts'
import { closeCodes, closeError, useVivarium } from '../support/vivarium.ts'

const vivarium = useVivarium({ waitMs: 400 })
const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code

/** A pool of an application that has one for all. */
function globalPool(): pg.Pool {
  return perSandbox((sandbox) => new pg.Pool({ connectionString: sandbox.postgres.url }))
}

/** Runs `fn` as a test of that sandbox. */
async function within<T>(sandbox: Sandbox, fn: () => Promise<T>): Promise<T> {
  return (await sandbox.observe(fn)).result
}

async function codeOfUse(use: () => unknown): Promise<unknown> {
  try {
    await use()
    return undefined
  } catch (error) {
    return codeOf(error)
  }
}

describe.each(isolations)('in isolation %s', (isolation) => {
  /** Two sandboxes at once, each adding a parent of the same key through the same object. */
  async function addInTwo(add: () => Promise<unknown>, count: () => Promise<number>): Promise<number[]> {
    const sandboxes = await Promise.all([1, 2].map(() => vivarium.openSandbox({ isolation, concurrent: true })))
    const counts = await Promise.all(
      sandboxes.map((sandbox) =>
        within(sandbox, async () => {
          await add()
          return count()
        }),
      ),
    )
    for (const sandbox of sandboxes) expect(await closeError(sandbox)).toBeUndefined()
    return counts
  }

  test('one pg pool for all is a pool of its own in each of two sandboxes at once', async () => {
    const pools: pg.Pool[] = []
    const pool = perSandbox((sandbox) => {
      const made = new pg.Pool({ connectionString: sandbox.postgres.url })
      pools.push(made)
      return made
    })
    expectTypeOf(pool).toEqualTypeOf<pg.Pool>()
    const counts = await addInTwo(
      () => pool.query('insert into parents values (100)'),
      async () => (await pool.query<{ n: number }>('select count(*)::int as n from parents')).rows[0]!.n,
    )
    expect(counts).toEqual([3, 3])
    expect(pools.map(({ ended, totalCount }) => [ended, totalCount])).toEqual([
      [true, 0],
      [true, 0],
    ])
  })

  test('one postgres.js client for all, which is a function with properties, works the same', async () => {
    const sql = perSandbox((sandbox) => postgres(sandbox.postgres.url, { max: 2 }))
    expectTypeOf(sql).toEqualTypeOf<postgres.Sql>()
    const counts = await addInTwo(
      () => sql.begin((tx) => tx`insert into ${tx('parents')} ${tx([{ id: 100 }, { id: 101 }])}`),
      async () => (await sql<{ n: number }[]>`select count(*)::int as n from ${sql('parents')}`)[0]!.n,
    )
    expect(counts).toEqual([4, 4])
  })

  test('one Drizzle database for all, on one pool for all, works the same', async () => {
    const pool = globalPool()
    const db = drizzle({ client: pool })
    const own = perSandbox((sandbox) => drizzle(sandbox.postgres.url), { close: ({ $client }) => $client.end() })
    expectTypeOf(own).toEqualTypeOf<NodePgDatabase & { $client: pg.Pool }>()
    const counts = await addInTwo(
      () => db.transaction(async (tx) => tx.execute(text`insert into parents values (100)`)),
      async () => (await own.execute<{ n: number }>(text`select count(*)::int as n from parents`)).rows[0]!.n,
    )
    expect(counts).toEqual([3, 3])
  })

  test('a nested sandbox has a client of its own and sees the work of its parent', async () => {
    const pool = globalPool()
    const count = async (): Promise<unknown> => (await pool.query('select id from parents')).rowCount
    const parent = await vivarium.openSandbox({ isolation })
    await pool.query('insert into parents values (100)')
    const child = await vivarium.openSandbox({ isolation, within: parent })
    await pool.query('insert into parents values (101)')
    expect(await count()).toBe(4)
    await child.close()
    expect(await count()).toBe(3)
    await parent.close()
  })

  test('a transaction left open is reported, though ending the client would have hidden it', async () => {
    const client = perSandbox((sandbox) => new pg.Client(sandbox.postgres.url).on('error', () => undefined))
    const sandbox = await vivarium.openSandbox({ isolation })
    await client.connect()
    await client.query('begin')
    await client.query('insert into parents values (100)')
    expect(await closeCodes(sandbox)).toEqual(['TRANSACTION_LEFT_OPEN'])
  })

  test('what a client does to the database while it is ended still works, and what it leaves open is reported', async () => {
    const client = perSandbox((sandbox) => new pg.Client(sandbox.postgres.url).on('error', () => undefined), {
      close: async (it) => {
        await it.query('insert into parents values (100)')
        await it.query('begin')
      },
    })
    const sandbox = await vivarium.openSandbox({ isolation })
    await client.connect()
    expect(await closeCodes(sandbox)).toEqual(['TRANSACTION_LEFT_OPEN'])
    expect(sandbox.queries.map(({ command }) => command)).toEqual(['INSERT', 'BEGIN'])
  })

  test('a connection never given back is reported with the client and the sandbox, in time', async () => {
    const pool = perSandbox(({ postgres: { url } }) => new pg.Pool({ connectionString: url }), {
      name: 'the shop’s pool',
      closeMs: 50,
    })
    const sandbox = await vivarium.openSandbox({ isolation, title: 'forgetful' })
    const kept = await pool.connect()
    const error = await closeError(sandbox)
    expect(error?.errors.map(codeOf)).toEqual(['CLIENT_NOT_CLOSED'])
    for (const words of ['the shop’s pool', '"forgetful"', '50 ms']) expect(error?.message).toContain(words)
    kept.release(true)
  })
})

test('where no sandbox is open the client is refused, by name; a promise of it is not', async () => {
  const pool = globalPool()
  expect(await Promise.resolve(pool)).toBe(pool)
  expect(await codeOfUse(() => pool.query('select 1'))).toBe('NO_SANDBOX')
  expect(() => pool.query('select 1')).toThrow(/perSandbox\(\) at .*per-sandbox\.test\.ts:\d+:\d+/)
})

test('a client is made at its first use, once for each sandbox, and not for one that does not use it', async () => {
  const made: string[] = []
  const pool = perSandbox(
    (sandbox) => {
      made.push(sandbox.title)
      return { use: () => sandbox.title }
    },
    { close: false },
  )
  for (const title of ['one', 'idle', 'two']) {
    const sandbox = await vivarium.openSandbox({ title })
    if (title !== 'idle') expect([pool.use(), pool.use()]).toEqual([title, title])
    await sandbox.close()
  }
  expect(made).toEqual(['one', 'two'])
})

test('after its sandbox has closed the client is refused, and no other one is made', async () => {
  const [used, unused] = [globalPool(), globalPool()]
  const sandbox = await vivarium.openSandbox({ concurrent: true })
  let end: (() => void) | undefined
  const closed = new Promise<void>((resolve) => (end = resolve))
  // In the flow of the sandbox, as a promise that a test did not await.
  const late: Promise<unknown>[] = []
  await within(sandbox, async () => {
    await used.query('select 1')
    for (const pool of [used, unused]) late.push(closed.then(() => codeOfUse(() => pool.query('select 1'))))
  })
  await sandbox.close()
  end?.()
  expect(await Promise.all(late)).toEqual(['SANDBOX_CLOSED', 'SANDBOX_CLOSED'])
})

test.each<[string, () => never, RegExp]>([
  [
    'throws',
    () => {
      throw new Error('no such host')
    },
    /the factory threw: no such host/,
  ],
  ['returns a promise', () => Promise.resolve({}) as never, /a promise.*Return the client itself/s],
  ['returns nothing', () => undefined as never, /a value of type undefined/],
  ['returns what cannot be ended', () => ({}) as never, /has no .*end\(\).*\{ close:/s],
])('a factory that %s is reported with what to do', async (_, factory, message) => {
  const client: { use(): void } = perSandbox(factory, { name: 'the client' })
  const sandbox = await vivarium.openSandbox({ title: 'mine' })
  expect(await codeOfUse(() => client.use())).toBe('CLIENT_NOT_CREATED')
  expect(() => client.use()).toThrow(message)
  expect(() => client.use()).toThrow(/sandbox "mine" by the client/)
  await sandbox.close()
})

test('an ending that fails is reported with its cause, and the others go on', async () => {
  const ended: string[] = []
  const clients = ['first', 'broken', 'last'].map((name) =>
    perSandbox(() => ({ use: () => undefined }), {
      name,
      close: () => {
        ended.push(name)
        if (name === 'broken') throw new Error('lost it')
      },
    }),
  )
  const sandbox = await vivarium.openSandbox()
  for (const client of clients) client.use()
  const error = await closeError(sandbox)
  expect(error?.errors.map(codeOf)).toEqual(['CLIENT_NOT_CLOSED'])
  expect(error?.message).toContain('lost it')
  expect(ended).toEqual(['last', 'broken', 'first'])
})

test('a promise of a client does not compile', () => {
  // @ts-expect-error a factory returns the client itself
  perSandbox(async () => new pg.Pool())
})
