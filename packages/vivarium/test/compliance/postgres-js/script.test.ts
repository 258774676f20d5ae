import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import postgres from 'postgres'
import { type ComplianceClient, failureOf, fieldsOf, meeting, outcomesOf, rejectionOf } from '../client.ts'
import { versionOf } from '../outcomes.ts'
import { describeCompliance } from '../run.ts'
import { ChangedMyMind, crates, sample, seenByRole } from '../script.ts'

type Sql = postgres.Sql<{ bigint: bigint }>
type AnySql = postgres.ISql<{ bigint: bigint }>

function connect(url: string, options: postgres.Options<{ bigint: postgres.PostgresType<bigint> }>): Sql {
  return postgres(url, { onnotice: () => undefined, types: { bigint: postgres.BigInt }, ...options })
}

async function insert(sql: AnySql, sku: string): Promise<number> {
  const [row] = await sql<{ id: number }[]>`insert into products ${sql({ sku, title: sku })} returning id`
  return row?.id ?? 0
}

async function count(sql: AnySql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`select count(*)::int as count from products`
  return row?.count ?? 0
}

const client: ComplianceClient<Sql> = {
  name: 'postgres-js',
  version: `postgres ${versionOf('postgres')}`,
  open: (url, { connections = 5 }) => connect(url, { max: connections }),
  // A connection that the server has ended is waited for until the time-out; on a plain server, too.
  close: (sql) => sql.end({ timeout: 0.2 }),
  steps: {
    crud: async ({ app }) => {
      const [created] = await app`insert into products ${app({ sku: 'pears', title: 'Pears', stock: 3 })} returning id`
      const [read] = await app`select id, sku, title, stock from products where sku = ${'pears'}`
      const updated = await app`update products set stock = stock + ${5} where stock < ${3}`
      const deleted = await app`delete from products where sku = ${'bread'}`
      const listed = await app<{ sku: string }[]>`select sku from products order by sku`
      return {
        created: created?.['id'],
        read: read as { id: number; sku: string; title: string; stock: number },
        updated: updated.count,
        deleted: deleted.count,
        listed: listed.map(({ sku }) => sku),
      }
    },
    commit: async ({ app }) => {
      const inside = await app.begin(async (tx) => {
        await insert(tx, 'pears')
        return count(tx)
      })
      return { inside, outside: await count(app) }
    },
    rollback: async ({ app }) => {
      let inside = 0
      const work = app.begin(async (tx) => {
        await insert(tx, 'pears')
        inside = await count(tx)
        throw new ChangedMyMind()
      })
      const error = await work.catch((caught: Error) => caught.message)
      return { inside, error: String(error), outside: await count(app) }
    },
    nested: async ({ app }) => {
      const caught = await app.begin(async (tx) => {
        await insert(tx, 'pears')
        const code = await failureOf(
          tx.savepoint(async (inner) => {
            await insert(inner, 'plums')
            await insert(inner, 'pears')
          }),
        )
        await insert(tx, 'figs')
        return code
      })
      return { caught, after: await count(app) }
    },
    caughtOutside: async ({ app }) => {
      const one = await app.reserve()
      const caught = await failureOf(insert(one, 'apples'))
      await insert(one, 'pears')
      one.release()
      return { caught, counted: await count(app) }
    },
    caughtInside: async ({ app }) => {
      let [caught, refused] = ['', '']
      const work = app.begin(async (tx) => {
        await insert(tx, 'pears')
        caught = await failureOf(insert(tx, 'apples'))
        refused = await failureOf(count(tx))
      })
      // The driver rejects a transaction in which anything failed, whoever caught it.
      await failureOf(work)
      await insert(app, 'figs')
      return { caught, refused, counted: await count(app) }
    },
    bulkInsert: async ({ app }) => {
      const result = await app`insert into products ${app(crates, 'sku', 'title', 'stock')}`
      return { inserted: result.count, counted: await count(app) }
    },
    cursor: async ({ open }) => {
      const one = await open({ connections: 1 })
      let [rows, sum] = [0, 0]
      for await (const piece of one<{ n: number }[]>`select n from generate_series(1, ${25}::int) n`.cursor(10)) {
        rows += piece.length
        for (const { n } of piece) sum += n
      }
      return { rows, sum, afterwards: await count(one) }
    },
    namedStatements: async ({ open }) => {
      // Every statement is a named one here, prepared once for each connection.
      const one = await open({ connections: 1 })
      const found: string[] = []
      for (const sku of ['apples', 'bread', 'apples']) {
        const [row] = await one<{ title: string }[]>`select title from products where sku = ${sku}`
        found.push(row?.title ?? '')
      }
      return { found }
    },
    pipelining: async ({ open }) => {
      const one = await open({ connections: 1 })
      await count(one)
      const work = ['pears', 'pears', 'figs'].map((sku) => insert(one, sku))
      return { outcomes: await outcomesOf(work, 'inserted') }
    },
    parallel: async ({ app }) => {
      const answered = await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          await insert(app, `parallel-${index + 1}`)
          const [row] = await app<{ number: number }[]>`select ${index + 1}::int as number, pg_sleep(0.001)`
          return row?.number ?? 0
        }),
      )
      return { answered, counted: await count(app) }
    },
    reconnect: async ({ app }) => {
      // The driver rejects with an error of its own; on a plain server, too.
      const failed = await app`select pg_terminate_backend(pg_backend_pid())`.then(
        () => false,
        () => true,
      )
      return { failed, next: await count(app) }
    },
    types: async ({ app }) => {
      const { doc, ...others } = sample
      await app`insert into samples ${app({ id: 1, doc: app.json(doc), ...others })}`
      const [row] = await app<(typeof sample)[]>`select * from samples`
      const { at, body, amount, tags, big, token, doc: read } = row!
      return { at: at.toISOString(), doc: read, body: body.toString('hex'), amount, tags, big: String(big), token }
    },
    notifications: async ({ app, isolation }) => {
      const received: string[] = []
      let heard = (): void => undefined
      const arrived = new Promise<void>((resolve) => {
        heard = resolve
      })
      await app.listen('market', (payload) => {
        received.push(`market: ${payload}`)
        heard()
      })
      await app.notify('market', 'open')
      if (isolation === 'database') await arrived
      // The same connection listens to all channels: what was to come has come by the time of its answer.
      await app.listen('another channel', () => undefined)
      return { received }
    },
    copy: async ({ app }) => {
      const input = await app`copy products (sku, title, stock) from stdin`.writable()
      await pipeline(Readable.from(['pears\tPears\t9\nfi', 'gs\tFigs\t8\n']), input)
      const output = await app`copy (select sku, stock from products order by sku) to stdout (format csv)`.readable()
      let text = ''
      for await (const chunk of output) text += String(chunk)
      return { copied: text.trimEnd().split('\n') }
    },
    twoTransactions: async ({ app }) => {
      const ids = await Promise.all(['pears', 'figs'].map((sku) => app.begin((tx) => insert(tx, sku))))
      return { committed: ids.length, counted: await count(app) }
    },
    nestedConnection: async ({ app }) => {
      const answered = await app.begin(async (tx) => {
        await insert(tx, 'pears')
        const [row] = await app<{ title: string }[]>`select title from products where sku = 'bread'`
        return row?.title ?? ''
      })
      return { answered, counted: await count(app) }
    },
    serializable: async ({ app }) => {
      const level = await app.begin('isolation level serializable', async (tx) => {
        await insert(tx, 'pears')
        const [row] = await tx<{ transaction_isolation: string }[]>`show transaction_isolation`
        return row?.transaction_isolation ?? ''
      })
      return { level, counted: await count(app) }
    },
    writeSkew: async ({ app }) => {
      const both = meeting(2)
      const goOffCall = (name: string): Promise<unknown> =>
        app.begin('isolation level serializable', async (tx) => {
          await tx`select count(*) from doctors where on_call`
          await both()
          await tx`update doctors set on_call = false where name = ${name}`
        })
      const outcomes = await outcomesOf([goOffCall('alice'), goOffCall('bob')], 'committed')
      const [row] = await app`select count(*)::int as count from doctors where on_call`
      return { outcomes: outcomes.toSorted(), onCall: row?.['count'] }
    },
    statementTimeout: async ({ open }) => {
      const one = await open({ connections: 1 })
      const work = one.begin(async (tx) => {
        await tx`set local statement_timeout = '50ms'`
        await tx`select pg_sleep(10)`
      })
      const caught = await failureOf(work)
      const [row] = await one<{ statement_timeout: string }[]>`show statement_timeout`
      return { caught, afterwards: row?.statement_timeout ?? '', counted: await count(one) }
    },
    cancel: async ({ url }) => {
      let running = (): void => undefined
      const runs = new Promise<void>((resolve) => {
        running = resolve
      })
      const one = connect(url, { max: 1, onnotice: () => running() })
      const slow = one.unsafe(`do $$ begin raise notice 'it runs'; perform pg_sleep(10); end $$`).execute()
      const failed = failureOf(slow)
      await runs
      slow.cancel()
      const caught = await failed
      const counted = await count(one)
      await one.end({ timeout: 5 })
      return { caught, counted }
    },
    errorFields: async ({ app }) => {
      const violation = await rejectionOf(insert(app, 'apples'))
      return fieldsOf(violation, await rejectionOf(app`select nope from products`))
    },
    acrossSandboxes: async ({ open, nextSandbox }) => {
      const one = await open({ connections: 1 })
      const look = async (): Promise<string[]> => {
        const [row] = await one<{ title: string }[]>`select title from products where sku = ${'apples'}`
        return [row?.title ?? '', `id ${await insert(one, 'pears')}`]
      }
      const before = await look()
      await nextSandbox()
      return { before, after: await look(), counted: await count(one) }
    },
    roles: async ({ open, role }) => {
      const one = await open({ connections: 1 })
      const all = (sql: AnySql): Promise<{ body: string; user: string }[]> =>
        sql<{ body: string; user: string }[]>`select body, current_user::text as user from documents`
      const before = await all(one)
      const inside = await one.begin(async (tx) => {
        await tx`set local role ${tx(role)}`
        return all(tx)
      })
      const after = await all(one)
      return seenByRole(role, { before, inside, after })
    },
  },
}

describeCompliance(client, ['memory', 'tcp'])
