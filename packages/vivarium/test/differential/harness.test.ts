import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PlainDatabases } from '../support/plain-database.ts'
import { migrations, startPlainServer } from '../support/plain-server.ts'
import { compare, renderDifferences } from './compare.ts'
import { play, type StepAnswers } from './play.ts'
import { type Exclusion, newTable, script, type Script } from './script.ts'
import { everyConnection } from './every-connection.ts'
import { scripts } from './scripts/index.ts'

let databases: PlainDatabases
let server: Awaited<ReturnType<typeof startPlainServer>>

beforeAll(async () => {
  server = await startPlainServer()
  databases = await PlainDatabases.open(server, migrations)
})

afterAll(async () => {
  await databases.close()
  await server[Symbol.asyncDispose]()
})

async function playPlain(played: Script): Promise<StepAnswers[]> {
  const database = await databases.create()
  try {
    return await play(database.target, played)
  } finally {
    await database.drop()
  }
}

async function differences(
  left: Script,
  right: Script,
  exclusions: readonly Exclusion[] = everyConnection,
): Promise<string> {
  return renderDifferences(compare(await playPlain(left), await playPlain(right), exclusions).differences)
}

describe('the differential harness, on two plain databases', () => {
  test('every script has a name of its own, and there are at least sixty', () => {
    expect(scripts.length).toBeGreaterThanOrEqual(60)
    expect(new Set(scripts.map(({ name }) => name)).size).toBe(scripts.length)
  })

  test('finds nothing between two databases made from the same template', async () => {
    const same = script('same', [
      `insert into items (name) values ('x') returning *`,
      'select 1 / 0',
      'begin; savepoint a; insert into parents values (3); commit',
      'copy parents to stdout',
    ])
    expect(await differences(same, same)).toBe('')
  })

  test('finds another row, another tag, another status, another notice and another error field', async () => {
    const pairs: [string, string, string][] = [
      [`select 'a'`, `select 'b'`, 'DataRow.values'],
      ['select 1', 'select 1 union all select 2', 'message 3.type'],
      ['delete from children', 'delete from children where false', 'CommandComplete.tag'],
      ['begin', 'select 1', 'message 1.type'],
      [`select shout('a') is null`, `select shout('b') is null`, 'NoticeResponse.M'],
      ['selec 1', ' selec 1', 'ErrorResponse.P'],
      [
        `insert into items (name) values ('apple')`,
        `insert into items (name, qty) values ('q', -1)`,
        'ErrorResponse.n',
      ],
      [`set timezone = 'UTC'`, `set timezone = 'Asia/Tokyo'`, 'ParameterStatus'],
    ]
    for (const [left, right, where] of pairs) {
      expect(await differences(script('left', [left]), script('right', [right])), `${left} / ${right}`).toContain(where)
    }
  })

  test('finds what was left behind, even when every answer was the same', async () => {
    const left = script('left', ['insert into parents values (3)'])
    const right = script('right', ['insert into parents values (4)'])
    expect(await differences(left, right)).toContain('what a new connection sees afterwards')
  })

  test('finds a message that never came', async () => {
    const whole = await playPlain(script('whole', ['select 1']))
    const cut = whole.map(({ step, answers }) => ({ step, answers: answers.slice(0, 2) }))
    expect(renderDifferences(compare(whole, cut, everyConnection).differences)).toContain('(no further message)')
    expect(renderDifferences(compare(whole, whole.slice(0, 2), everyConnection).differences)).toContain('not reached')
  })

  test('reports which exclusions were used, and an exclusion covers only its own field', async () => {
    const made = script('made', ['create table t (id integer)', 'select * from t'])
    const [left, right] = [await playPlain(made), await playPlain(made)]
    expect(compare(left, right, everyConnection).differences.map(({ field }) => field)).toEqual(['columns.tableOid'])
    const unused: Exclusion = { message: 'RowDescription', field: 'columns.name', why: 'never differs' }
    const compared = compare(left, right, [...everyConnection, newTable, unused])
    expect(compared.differences).toEqual([])
    expect(compared.used.has(newTable)).toBe(true)
    expect(compared.used.has(unused)).toBe(false)
    const inStep = (step: number): string[] =>
      compare(left, right, [...everyConnection, { ...newTable, step }]).differences.map(({ field }) => field)
    expect([inStep(2), inStep(1)]).toEqual([[], ['columns.tableOid']])
  })
})
