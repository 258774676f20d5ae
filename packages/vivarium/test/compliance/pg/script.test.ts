import pg from 'pg'
import { type ComplianceClient, failureOf, fieldsOf, meeting, no, outcomesOf, rejectionOf } from '../client.ts'
import { versionOf } from '../outcomes.ts'
import { describeCompliance } from '../run.ts'
import { ChangedMyMind, crates, sample, seenByRole } from '../script.ts'

/** The usual way with pg: BEGIN, COMMIT or ROLLBACK on a client taken from the pool. */
async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
  begin: string = 'BEGIN',
): Promise<T> {
  const client = await pool.connect()
  try {
    await client.query(begin)
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  } finally {
    client.release()
  }
}

type Runner = Pick<pg.Pool | pg.PoolClient, 'query'>

async function insert(on: Runner, sku: string): Promise<number> {
  const { rows } = await on.query('INSERT INTO products (sku, title) VALUES ($1, $2) RETURNING id', [sku, sku])
  return (rows[0] as { id: number }).id
}

async function count(on: Runner): Promise<number> {
  const { rows } = await on.query('SELECT count(*)::int AS count FROM products')
  return (rows[0] as { count: number }).count
}

const client: ComplianceClient<pg.Pool> = {
  name: 'pg',
  version: `pg ${versionOf('pg')}`,
  open: (url, { connections = 5, pipeline = false }) => {
    const pool = new pg.Pool({ connectionString: url, max: connections, pipeline } as pg.PoolConfig)
    // An idle connection that the server ends is an event, and without a listener the end of the process.
    pool.on('error', () => undefined)
    return pool
  },
  close: (pool) => pool.end(),
  steps: {
    crud: async ({ app }) => {
      const created = await app.query(
        `INSERT INTO products (sku, title, stock) VALUES ('pears', 'Pears', 3) RETURNING id`,
      )
      const read = await app.query('SELECT id, sku, title, stock FROM products WHERE sku = $1', ['pears'])
      const updated = await app.query('UPDATE products SET stock = stock + $1 WHERE stock < $2', [5, 3])
      const deleted = await app.query('DELETE FROM products WHERE sku = $1', ['bread'])
      const listed = await app.query<{ sku: string }>('SELECT sku FROM products ORDER BY sku')
      return {
        created: created.rows[0].id,
        read: read.rows[0],
        updated: updated.rowCount ?? 0,
        deleted: deleted.rowCount ?? 0,
        listed: listed.rows.map(({ sku }) => sku),
      }
    },
    commit: async ({ app }) => {
      const inside = await inTransaction(app, async (tx) => {
        await insert(tx, 'pears')
        return count(tx)
      })
      return { inside, outside: await count(app) }
    },
    rollback: async ({ app }) => {
      let inside = 0
      const work = inTransaction(app, async (tx) => {
        await insert(tx, 'pears')
        inside = await count(tx)
        throw new ChangedMyMind()
      })
      const error = await work.catch((caught: Error) => caught.message)
      return { inside, error: String(error), outside: await count(app) }
    },
    nested: async ({ app }) => {
      const caught = await inTransaction(app, async (tx) => {
        await insert(tx, 'pears')
        await tx.query('SAVEPOINT inner_one')
        await insert(tx, 'plums')
        const code = await failureOf(insert(tx, 'pears'))
        await tx.query('ROLLBACK TO SAVEPOINT inner_one')
        await insert(tx, 'figs')
        return code
      })
      return { caught, after: await count(app) }
    },
    caughtOutside: async ({ app }) => {
      const one = await app.connect()
      const caught = await failureOf(insert(one, 'apples'))
      await insert(one, 'pears')
      one.release()
      return { caught, counted: await count(app) }
    },
    caughtInside: async ({ app }) => {
      const one = await app.connect()
      await one.query('BEGIN')
      await insert(one, 'pears')
      const caught = await failureOf(insert(one, 'apples'))
      const refused = await failureOf(count(one))
      await one.query('ROLLBACK')
      one.release()
      await insert(app, 'figs')
      return { caught, refused, counted: await count(app) }
    },
    bulkInsert: async ({ app }) => {
      const { rowCount } = await app.query(
        'INSERT INTO products (sku, title, stock) SELECT * FROM unnest($1::text[], $2::text[], $3::int[])',
        [crates.map(({ sku }) => sku), crates.map(({ title }) => title), crates.map(({ stock }) => stock)],
      )
      return { inserted: rowCount ?? 0, counted: await count(app) }
    },
    cursor: async ({ app }) => {
      const one = await app.connect()
      // `rows` makes pg fetch that many at a time; `row` events come as they arrive.
      const stream = one.query(
        new pg.Query({ text: 'SELECT n FROM generate_series(1, $1::int) n', values: [25], rows: 10 } as pg.QueryConfig),
      )
      let [rows, sum] = [0, 0]
      await new Promise<void>((resolve, reject) => {
        stream.on('row', (row: { n: number }) => {
          rows += 1
          sum += row.n
        })
        stream.on('end', () => resolve())
        stream.on('error', reject)
      })
      const afterwards = await count(one)
      one.release()
      return { rows, sum, afterwards }
    },
    namedStatements: async ({ app }) => {
      const one = await app.connect()
      const found: string[] = []
      for (const sku of ['apples', 'bread', 'apples']) {
        const { rows } = await one.query({
          name: 'find',
          text: 'SELECT title FROM products WHERE sku = $1',
          values: [sku],
        })
        found.push((rows[0] as { title: string }).title)
      }
      one.release()
      return { found }
    },
    pipelining: async ({ open }) => {
      const pool = await open({ connections: 1, pipeline: true })
      const one = await pool.connect()
      const work = ['pears', 'pears', 'figs'].map((sku) => insert(one, sku))
      const outcomes = await outcomesOf(work, 'inserted')
      one.release()
      return { outcomes }
    },
    parallel: async ({ app }) => {
      const answered = await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          await insert(app, `parallel-${index + 1}`)
          const { rows } = await app.query('SELECT $1::int AS number, pg_sleep(0.001)', [index + 1])
          return (rows[0] as { number: number }).number
        }),
      )
      return { answered, counted: await count(app) }
    },
    reconnect: async ({ app }) => {
      const one = await app.connect()
      one.on('error', () => undefined)
      const failed = await one.query('SELECT pg_terminate_backend(pg_backend_pid())').then(
        () => false,
        () => true,
      )
      one.release(true)
      return { failed, next: await count(app) }
    },
    types: async ({ app }) => {
      const { at, doc, body, amount, tags, big, token } = sample
      await app.query('INSERT INTO samples VALUES (1, $1, $2, $3, $4, $5, $6, $7)', [
        at,
        doc,
        body,
        amount,
        tags,
        big,
        token,
      ])
      const { rows } = await app.query('SELECT * FROM samples')
      const [row] = rows
      return {
        at: (row.at as Date).toISOString(),
        doc: row.doc,
        body: (row.body as Buffer).toString('hex'),
        amount: row.amount,
        tags: row.tags,
        big: row.big,
        token: row.token,
      }
    },
    notifications: async ({ app, isolation }) => {
      const listener = await app.connect()
      const received: string[] = []
      const arrived = new Promise<void>((resolve) => {
        listener.on('notification', ({ channel, payload }) => {
          received.push(`${channel}: ${payload}`)
          resolve()
        })
      })
      await listener.query('LISTEN market')
      await app.query(`NOTIFY market, 'open'`)
      if (isolation === 'database') await arrived
      // What was to come has come by the time of this answer.
      await count(listener)
      await listener.query('UNLISTEN *')
      listener.release()
      return { received }
    },
    copy: no('pg leaves COPY to a package of its own, pg-copy-streams'),
    twoTransactions: async ({ app }) => {
      const ids = await Promise.all(['pears', 'figs'].map((sku) => inTransaction(app, (tx) => insert(tx, sku))))
      return { committed: ids.length, counted: await count(app) }
    },
    nestedConnection: async ({ app }) => {
      const answered = await inTransaction(app, async (tx) => {
        await insert(tx, 'pears')
        const { rows } = await app.query(`SELECT title FROM products WHERE sku = 'bread'`)
        return (rows[0] as { title: string }).title
      })
      return { answered, counted: await count(app) }
    },
    serializable: async ({ app }) => {
      const level = await inTransaction(
        app,
        async (tx) => {
          await insert(tx, 'pears')
          const { rows } = await tx.query('SHOW transaction_isolation')
          return (rows[0] as { transaction_isolation: string }).transaction_isolation
        },
        'BEGIN ISOLATION LEVEL SERIALIZABLE',
      )
      return { level, counted: await count(app) }
    },
    writeSkew: async ({ app }) => {
      const both = meeting(2)
      const goOffCall = (name: string): Promise<void> =>
        inTransaction(
          app,
          async (tx) => {
            await tx.query('SELECT count(*) FROM doctors WHERE on_call')
            await both()
            await tx.query('UPDATE doctors SET on_call = false WHERE name = $1', [name])
          },
          'BEGIN ISOLATION LEVEL SERIALIZABLE',
        )
      const outcomes = await outcomesOf([goOffCall('alice'), goOffCall('bob')], 'committed')
      const { rows } = await app.query('SELECT count(*)::int AS count FROM doctors WHERE on_call')
      return { outcomes: outcomes.toSorted(), onCall: rows[0].count }
    },
    statementTimeout: async ({ app }) => {
      const one = await app.connect()
      await one.query('BEGIN')
      await one.query(`SET LOCAL statement_timeout = '50ms'`)
      const caught = await failureOf(one.query('SELECT pg_sleep(10)'))
      await one.query('ROLLBACK')
      const { rows } = await one.query('SHOW statement_timeout')
      one.release()
      return { caught, afterwards: rows[0].statement_timeout, counted: await count(app) }
    },
    cancel: no('pg documents no way to cancel a statement'),
    errorFields: async ({ app }) => {
      const violation = await rejectionOf(insert(app, 'apples'))
      return fieldsOf(violation, await rejectionOf(app.query('SELECT nope FROM products')))
    },
    acrossSandboxes: async ({ app, nextSandbox }) => {
      const look = async (): Promise<string[]> => {
        const one = await app.connect()
        const text = 'SELECT title FROM products WHERE sku = $1'
        const { rows } = await one.query({ name: 'find', text, values: ['apples'] })
        const id = await insert(one, 'pears')
        one.release()
        return [(rows[0] as { title: string }).title, `id ${id}`]
      }
      const before = await look()
      await nextSandbox()
      return { before, after: await look(), counted: await count(app) }
    },
    roles: async ({ app, role }) => {
      const one = await app.connect()
      const all = async (): Promise<{ body: string; user: string }[]> =>
        (await one.query('SELECT body, current_user::text AS "user" FROM documents')).rows
      const before = await all()
      await one.query('BEGIN')
      await one.query(`SET LOCAL ROLE ${role}`)
      const inside = await all()
      await one.query('COMMIT')
      const after = await all()
      one.release()
      return seenByRole(role, { before, inside, after })
    },
  },
}

describeCompliance(client, ['memory', 'tcp'])
