import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeIfFound } from '../../support/require.ts'
import { type ComplianceClient, no } from '../client.ts'
import { describeCompliance } from '../run.ts'
import { crates, sample, script } from '../script.ts'
import { Psql, psqlVersion, runPsql } from './psql.ts'

/** psql is another process: each step runs one or more of them with the sandbox's pinned URL. */
interface PsqlApp {
  readonly url: string
}

const sqlstate = '\\set VERBOSITY sqlstate\n'
const count = 'select count(*) from products;\n'

function insert(sku: string): string {
  return `insert into products (sku, title) values ('${sku}', '${sku}');\n`
}

/** The lines that a script printed; anything but a good end is an error. */
async function linesOf(url: string, input: string, args: readonly string[] = []): Promise<string[]> {
  const { code, output, errors } = await runPsql(url, input, args)
  if (code !== 0) throw new Error(`psql ended with ${code}: ${errors}`)
  return output === '' ? [] : output.split('\n')
}

/** SQLSTATEs of the errors that psql wrote, in order. */
function statesOf(errors: string): string[] {
  return [...errors.matchAll(/ERROR: {2}([0-9A-Z]{5})/g)].map(([, state]) => String(state))
}

/** A folder for files that psql reads and writes. */
async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'vivarium-psql-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** What two sessions in one script of their own came to: its SQLSTATE, or `committed`. */
async function outcomeOf(psql: Psql): Promise<string> {
  const { errors } = await psql.end()
  return statesOf(errors)[0] ?? 'committed'
}

function clientOf(version: string): ComplianceClient<PsqlApp> {
  return {
    name: 'psql',
    version: `psql ${version}`,
    open: (url) => ({ url }),
    close: () => Promise.resolve(),
    usesPinnedUrl: true,
    steps: {
      // A script in a file; a \gset variable carries the new id on.
      crud: ({ app }) =>
        inFolder(async (folder) => {
          const file = join(folder, 'crud.sql')
          await writeFile(
            file,
            `insert into products (sku, title, stock) values ('pears', 'Pears', 3) returning id as created \\gset
            \\echo :created
            select row_to_json(read) from (select * from products where id = :created) as read;
            update products set stock = stock + 5 where stock < 3;
            \\echo :ROW_COUNT
            delete from products where sku = 'bread';
            \\echo :ROW_COUNT
            select sku from products order by sku;
            `,
          )
          const [created, read, updated, deleted, ...listed] = await linesOf(app.url, '', ['--file', file])
          return {
            created: Number(created),
            read: JSON.parse(String(read)) as (typeof script.crud.expected)['read'],
            updated: Number(updated),
            deleted: Number(deleted),
            listed,
          }
        }),
      // The statements of one --command are one Query.
      commit: async ({ app }) => {
        const command = `begin; ${insert('pears')} ${count} commit;`
        const [inside] = await linesOf(app.url, '', ['--command', command])
        const [outside] = await linesOf(app.url, count)
        return { inside: Number(inside), outside: Number(outside) }
      },
      // ON_ERROR_STOP ends psql in mid-transaction, with code 3; the end of its connection rolls back.
      rollback: async ({ app }) => {
        const fails = `do $$ begin raise '${script.rollback.expected.error}'; end $$;\n`
        const { code, output, errors } = await runPsql(
          app.url,
          `\\set VERBOSITY terse\nbegin;\n${insert('pears')}${count}${fails}${insert('figs')}commit;\n`,
          ['--set=ON_ERROR_STOP=1'],
        )
        const [outside] = await linesOf(app.url, count)
        const error = /ERROR: {2}(.*)/.exec(errors)?.[1] ?? `psql ended with ${code}`
        return {
          inside: Number(output),
          error: code === 3 ? error : `psql ended with ${code}`,
          outside: Number(outside),
        }
      },
      nested: async ({ app }) => {
        const { output, errors } = await runPsql(
          app.url,
          `${sqlstate}begin;\n${insert('pears')}savepoint inner_one;\n${insert('plums')}${insert('pears')}
          rollback to savepoint inner_one;\n${insert('figs')}commit;\n${count}`,
        )
        return { caught: statesOf(errors).join(), after: Number(output) }
      },
      caughtOutside: async ({ app }) => {
        const { output, errors } = await runPsql(app.url, `${sqlstate}${insert('apples')}${insert('pears')}${count}`)
        return { caught: statesOf(errors).join(), counted: Number(output) }
      },
      caughtInside: async ({ app }) => {
        const { output, errors } = await runPsql(
          app.url,
          `${sqlstate}begin;\n${insert('pears')}${insert('apples')}${count}rollback;\n${insert('figs')}${count}`,
        )
        const [caught = '', refused = ''] = statesOf(errors)
        return { caught, refused, counted: Number(output) }
      },
      // \gexec runs what a query has made.
      bulkInsert: async ({ app }) => {
        const values = crates.map(({ sku, title, stock }) => `('${sku}', '${title}', ${stock})`).join()
        const text = `with added as (insert into products (sku, title, stock) values ${values} returning id)
          select count(*) from added`
        const [inserted, counted] = await linesOf(app.url, `select $$${text}$$ \\gexec\n${count}`)
        return { inserted: Number(inserted), counted: Number(counted) }
      },
      // FETCH_COUNT makes psql declare a cursor and fetch from it.
      cursor: async ({ app }) => {
        const lines = await linesOf(
          app.url,
          `\\set FETCH_COUNT 10\nselect n from generate_series(1, 25) n;\n\\unset FETCH_COUNT\n${count}`,
        )
        const numbers = lines.slice(0, -1).map(Number)
        return {
          rows: numbers.length,
          sum: numbers.reduce((sum, number) => sum + number, 0),
          afterwards: Number(lines.at(-1)),
        }
      },
      namedStatements: async ({ app }) => ({
        found: await linesOf(
          app.url,
          `prepare find (text) as select title from products where sku = $1;
          execute find('apples'); execute find('bread'); execute find('apples');`,
        ),
      }),
      pipelining: no(
        'psql waits for each answer; from version 18 on it has `\\startpipeline`, which this script does not use',
      ),
      parallel: async ({ app }) => {
        const answered = await Promise.all(
          Array.from({ length: 20 }, async (_, index) => {
            const [number] = await linesOf(app.url, `${insert(`parallel-${index + 1}`)}select ${index + 1};`)
            return Number(number)
          }),
        )
        const [counted] = await linesOf(app.url, count)
        return { answered, counted: Number(counted) }
      },
      // In a script a lost connection is psql's end, with code 2.
      reconnect: async ({ app }) => {
        const { code } = await runPsql(app.url, `select pg_terminate_backend(pg_backend_pid());\n${count}`)
        const [next] = await linesOf(app.url, count)
        return { failed: code === 2, next: Number(next) }
      },
      types: async ({ app }) => {
        const { at, doc, body, amount, tags, big, token } = sample
        const [row] = await linesOf(
          app.url,
          `\\set at '${at.toISOString()}'
          \\set doc '${JSON.stringify(doc)}'
          insert into samples values (1, :'at', :'doc', '\\x${body.toString('hex')}', ${amount},
            array(select json_array_elements_text('${JSON.stringify(tags)}')), ${big}, '${token}');
          set time zone 'UTC';
          select json_build_object('at', to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'doc', doc,
            'body', encode(body, 'hex'), 'amount', amount::text, 'tags', tags, 'big', big::text, 'token', token)
          from samples;`,
        )
        return JSON.parse(String(row)) as typeof script.types.expected
      },
      notifications: async ({ app, isolation }) => {
        const listener = Psql.open(app.url)
        listener.write('listen market;\n\\echo it listens\n')
        await listener.until('it listens')
        await linesOf(app.url, `notify market, 'open';`)
        // psql looks for notifications when a statement has ended; each comes with the answer behind it.
        listener.write(isolation === 'database' ? 'select 1;\nselect 2;\n' : 'select 1;\n')
        const { output } = await listener.end()
        const received = [...output.matchAll(/notification "(\w+)" with payload "(\w+)"/g)]
        return { received: received.map(([, channel, payload]) => `${channel}: ${payload}`) }
      },
      copy: ({ app }) =>
        inFolder(async (folder) => {
          const [input, output] = [join(folder, 'in.csv'), join(folder, 'out.csv')]
          await writeFile(input, 'pears,Pears,9\nfigs,Figs,8\n')
          const copied = await linesOf(
            app.url,
            `\\copy products (sku, title, stock) from '${input}' with (format csv)
            \\copy (select sku, stock from products order by sku) to '${output}' with (format csv)
            \\copy (select sku, stock from products order by sku) to stdout with (format csv)
            `,
          )
          return { copied }
        }),
      // Each in one Query: between two of its statements a process may be slow, and then the other runs inside it.
      twoTransactions: async ({ app }) => {
        const work = ['pears', 'figs'].map((sku) => linesOf(app.url, '', ['--command', `begin; ${insert(sku)} commit`]))
        const finished = await Promise.all(work)
        const [counted] = await linesOf(app.url, count)
        return { committed: finished.length, counted: Number(counted) }
      },
      nestedConnection: async ({ app }) => {
        const holder = Psql.open(app.url)
        holder.write(`begin;\n${insert('pears')}\\echo it holds\n`)
        await holder.until('it holds')
        const [answered] = await linesOf(app.url, `select title from products where sku = 'bread';`)
        holder.write(`commit;\n${count}`)
        const { output } = await holder.end()
        return { answered: String(answered), counted: Number(output.split('\n').at(-1)) }
      },
      serializable: async ({ app }) => {
        const lines = await linesOf(
          app.url,
          `begin isolation level serializable;\n${insert('pears')}show transaction_isolation;\ncommit;\n${count}`,
        )
        return { level: String(lines[0]), counted: Number(lines[1]) }
      },
      writeSkew: async ({ app }) => {
        const doctors = ['alice', 'bob'].map((name) => ({ name, psql: Psql.open(app.url) }))
        for (const { psql } of doctors) {
          psql.write(`${sqlstate}begin isolation level serializable;
            select count(*) from doctors where on_call;\n\\echo it has looked\n`)
        }
        await Promise.all(doctors.map(({ psql }) => psql.until('it has looked')))
        for (const { psql, name } of doctors) {
          psql.write(`update doctors set on_call = false where name = '${name}';\ncommit;\n`)
        }
        const outcomes = await Promise.all(doctors.map(({ psql }) => outcomeOf(psql)))
        const [onCall] = await linesOf(app.url, 'select count(*) from doctors where on_call;')
        return { outcomes: outcomes.toSorted(), onCall: Number(onCall) }
      },
      statementTimeout: async ({ app }) => {
        const { output, errors } = await runPsql(
          app.url,
          `${sqlstate}begin;\nset local statement_timeout = '50ms';\nselect pg_sleep(10);\nrollback;
          show statement_timeout;\n${count}`,
        )
        const [afterwards, counted] = output.split('\n')
        return { caught: statesOf(errors).join(), afterwards: String(afterwards), counted: Number(counted) }
      },
      // Control-C sends a cancel request; from a script it also ends psql, so the next one counts.
      cancel: async ({ app }) => {
        const psql = Psql.open(app.url)
        psql.write(`${sqlstate}do $$ begin raise notice 'it runs'; perform pg_sleep(10); end $$;\n`)
        await psql.until('NOTICE')
        psql.interrupt()
        const { errors } = await psql.end()
        const [counted] = await linesOf(app.url, count)
        return { caught: statesOf(errors).join(), counted: Number(counted) }
      },
      errorFields: async ({ app }) => {
        const { errors } = await runPsql(
          app.url,
          `\\set VERBOSITY verbose\n${insert('apples')}select nope from products;\n`,
        )
        const field = (pattern: RegExp): string => String(pattern.exec(errors)?.[1])
        const [first = '', second = ''] = statesOf(errors)
        const mark = errors.split('\n')
        const pointer = mark.findIndex((line) => line.trim() === '^')
        const [line = '', caret = ''] = [mark[pointer - 1], mark[pointer]]
        return {
          violation: {
            code: first,
            constraint: field(/CONSTRAINT NAME: {2}(\w+)/),
            table: field(/TABLE NAME: {2}(\w+)/),
            detail: field(/DETAIL: {2}(.*)/),
          },
          // psql shows where: a mark below the text of the line.
          mistake: { code: second, position: String(caret.indexOf('^') - line.indexOf('select') + 1) },
        }
      },
      acrossSandboxes: no('psql is started for one sandbox: its pinned URL ends with it'),
      roles: async ({ app, role }) => {
        const look = `select body, current_user = '${role}' from documents order by 1;\n\\echo :ROW_COUNT\n`
        const lines = await linesOf(app.url, `${look}begin;\nset local role ${role};\n${look}commit;\n${look}`)
        const rows = lines.map((line) => line.split(','))
        const [before, inside, after] = [rows.slice(0, 3), rows.slice(3, 5), rows.slice(5)]
        return {
          before: Number(before.at(-1)?.[0]),
          inside: inside.slice(0, -1).map(([body]) => String(body)),
          insideAsRole: inside[0]?.[1] === 't',
          after: Number(after.at(-1)?.[0]),
          afterAsRole: after[0]?.[1] === 't',
        }
      },
    },
  }
}

describeIfFound('psql', await psqlVersion(), 'psql, another process', (version) => {
  describeCompliance(clientOf(version), ['tcp'])
})
