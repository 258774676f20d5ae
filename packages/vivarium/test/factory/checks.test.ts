import fc from 'fast-check'
import pg from 'pg'
import { expect, test } from 'vitest'
import { evaluate, unknown } from '../../src/factory/checks/evaluate.ts'
import type { Value } from '../../src/factory/checks/evaluate.ts'
import { parseExpression } from '../../src/factory/checks/parse-expression.ts'
import { insertList } from '../../src/factory/index.ts'
import { inSandbox } from './in-sandbox.ts'
import { useMigrated } from './support.ts'

const vivarium = useMigrated('CREATE TABLE probes (a integer, b integer, t text, d date, ok boolean);')

/** A row of that table as both sides are given it. */
interface Probe {
  readonly a: number | null
  readonly b: number | null
  readonly t: string | null
  readonly d: string | null
  readonly ok: boolean | null
}

const integers = fc.integer({ min: -5, max: 12 })
const dates = fc.constantFrom('2019-12-31', '2020-01-01', '2021-06-15', '2024-02-29')
const texts = fc.constantFrom('', 'a', 'Ab', 'abc-1', 'ABC', 'a@b.de', 'x%y', '  b ', 'draft', 'paid')
const orNull = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(values, { nil: null, freq: 5 })

const probes: fc.Arbitrary<Probe> = fc.record({
  a: orNull(integers),
  b: orNull(integers),
  t: orNull(texts),
  d: orNull(dates),
  ok: orNull(fc.boolean()),
})

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`
const numbersSql = fc.oneof(
  fc.constantFrom('a', 'b', 'a + b', 'abs(a)', 'length(t)', 'COALESCE(a, b)', 'a % 3', 'extract(year from d)::int', 'greatest(a, b)', 'num_nonnulls(a, b, t)'),
  integers.map((number) => `(${number})`),
) // prettier-ignore
const textsSql = fc.oneof(fc.constantFrom('t', 'lower(t)', 'upper(t)', 'btrim(t)', 't || t'), texts.map(quoted))
const datesSql = fc.oneof(
  fc.constant('d'),
  dates.map((day) => `date ${quoted(day)}`),
)
const comparisons = fc.constantFrom('=', '<>', '<', '<=', '>', '>=')
const patterns = fc.constantFrom('^[a-z]+$', '@', '^[A-Z]{2,3}$', '^(draft|paid)$', String.raw`^\w+-\d$`, '[[:digit:]]')

const conditions: fc.Arbitrary<string> = fc.letrec<{ all: string; leaf: string }>((tie) => ({
  leaf: fc.oneof(
    fc.tuple(numbersSql, comparisons, numbersSql).map(([left, name, right]) => `${left} ${name} ${right}`),
    fc.tuple(textsSql, fc.constantFrom('=', '<>'), textsSql).map(([left, name, right]) => `${left} ${name} ${right}`),
    fc.tuple(datesSql, comparisons, datesSql).map(([left, name, right]) => `${left} ${name} ${right}`),
    fc.tuple(numbersSql, integers, integers).map(([value, least, most]) => `${value} BETWEEN ${least} AND ${most}`),
    fc.array(texts, { minLength: 1, maxLength: 3 }).map((list) => `t IN (${list.map(quoted).join(', ')})`),
    fc.array(integers, { minLength: 1, maxLength: 3 }).map((list) => `a NOT IN (${list.join(', ')})`),
    fc.tuple(fc.constantFrom('~', '!~', '~*'), patterns).map(([name, pattern]) => `t ${name} ${quoted(pattern)}`),
    fc.constantFrom('a%', '%b', '_b', '%@%', String.raw`x\%_`).map((pattern) => `t LIKE ${quoted(pattern)}`),
    fc.constantFrom('a', 'b', 't', 'd').map((column) => `${column} IS NOT NULL`),
    fc.constantFrom(
      'ok',
      'NOT ok',
      'ok IS TRUE',
      'ok IS NOT FALSE',
      'a IS DISTINCT FROM b',
      '(a IS NULL) = (b IS NULL)',
    ),
  ),
  all: fc.oneof(
    { depthSize: 'small' },
    tie('leaf'),
    fc
      .tuple(tie('all'), fc.constantFrom('AND', 'OR'), tie('all'))
      .map(([left, word, right]) => `(${left}) ${word} (${right})`),
    tie('all').map((one) => `NOT (${one})`),
    fc
      .tuple(tie('leaf'), tie('leaf'), tie('leaf'))
      .map(([when, then, other]) => `CASE WHEN ${when} THEN ${then} ELSE ${other} END`),
  ),
})).all

test('what a constraint is for a row is what Postgres says', () =>
  inSandbox(vivarium, async (sandbox) => {
    await using client = await connected(sandbox.postgres.url)
    let told = 0
    let asked = 0
    await fc.assert(
      fc.asyncProperty(conditions, fc.array(probes, { minLength: 3, maxLength: 6 }), async (condition, rows) => {
        await client.query(`alter table probes add constraint it check (${condition}) not valid`)
        const printed = await client.query<{ sql: string }>(
          "select pg_get_expr(conbin, conrelid) sql from pg_constraint where conname = 'it'",
        )
        await client.query('alter table probes drop constraint it')
        const sql = printed.rows[0]?.sql ?? ''
        const expression = parseExpression(sql)
        if (expression === undefined) throw new Error(`not understood: ${sql}`)
        for (const row of rows) {
          const answer = await client.query<{ answer: boolean | null }>(
            `select (${condition}) answer from (select $1::int a, $2::int b, $3::text t, $4::date d, $5::boolean ok) probe`,
            [row.a, row.b, row.t, row.d, row.ok],
          )
          const ours: Value = evaluate(expression, (name) => row[name as keyof Probe] as Value)
          asked++
          if (ours === unknown) continue
          told++
          expect(ours, `${sql} of ${JSON.stringify(row)}`).toBe(answer.rows[0]?.answer)
        }
      }),
      { numRuns: 150 },
    )
    expect(told / asked).toBeGreaterThan(0.9)
  }))

const tableChecks = fc.record({
  least: fc.integer({ min: -50, max: 50 }),
  width: fc.integer({ min: 0, max: 40 }),
  labels: fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 4 }),
  length: fc.integer({ min: 1, max: 12 }),
  pattern: fc.constantFrom('^[A-Z]{3}$', '^[a-z0-9-]+$', String.raw`^\d{4}-\d{2}$`, '^(x|y)[0-9]*$', '^#[0-9a-f]{6}$'),
  gap: fc.integer({ min: 0, max: 5 }),
  year: fc.integer({ min: 1990, max: 2023 }),
})

test('rows satisfy their CHECK constraints, as Postgres sees it', () =>
  inSandbox(vivarium, async (sandbox) => {
    await using client = await connected(sandbox.postgres.url)
    await fc.assert(
      fc.asyncProperty(tableChecks, async ({ least, width, labels, length, pattern, gap, year }) => {
        await client.query(`create table made (
          id serial primary key,
          amount integer not null check (amount between ${least} and ${least + width}),
          price numeric(8, 2) not null check (price > ${least}),
          label text not null check (label in (${labels.map(quoted).join(', ')})),
          code text not null check (char_length(code) = ${length}),
          shape text not null check (shape ~ ${quoted(pattern)}),
          low integer not null, high integer not null check (high >= low + ${gap}),
          starts date not null check (starts >= '${year}-03-01'), ends date not null check (ends > starts),
          note text, detail text, check (num_nonnulls(note, detail) = 1),
          state text not null check (state in ('open', 'done')), done_at timestamptz,
          check ((state = 'done') = (done_at is not null)))`)
        expect(await insertList(12, 'made')).toHaveLength(12)
        await client.query('drop table made')
      }),
      { numRuns: 25 },
    )
  }))

async function connected(url: string): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client(url)
  await client.connect()
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() })
}
