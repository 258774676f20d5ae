import { beforeEach, expect, test } from 'vitest'
import type { Sandbox } from '../../src/index.ts'
import type { JoinedVivarium } from '../../src/vivarium/vivarium.ts'
import { openTestVivarium } from '../support/vivarium.ts'
import { connect, errorOf, rowsOf, type WireConnection } from '../support/wire.ts'

let vivarium: JoinedVivarium
let file: Sandbox

beforeEach(async () => {
  vivarium = (await openTestVivarium()) as JoinedVivarium
  file = await vivarium.openSandbox({ title: 'the file' })
  return () => vivarium.close().catch(() => undefined)
})

/** A statement on a connection of its own. */
async function run(url: string, text: string): ReturnType<WireConnection['query']> {
  const connection = await connect(url)
  const answer = await connection.query(text)
  await connection.end()
  return answer
}

async function databaseOf({ postgres }: Sandbox): Promise<unknown> {
  return rowsOf(await run(postgres.url, 'select current_database()'))[0]?.[0]
}

const insert = 'insert into parents values (100)'
const count = 'select count(*) from parents'

/** As the runner does while tests run at once. */
function testsRunAtOnce(): () => void {
  return vivarium.refuseStableUrl(() => undefined)
}

test('while tests run at once, one of them works in the database that their file does not use', async () => {
  const own = await databaseOf(await vivarium.openSandbox({ concurrent: true }))
  const end = testsRunAtOnce()
  const tests = await Promise.all(
    ['one', 'two', 'three'].map((title) => vivarium.openSandbox({ title, concurrent: true })),
  )
  const databases = await Promise.all(tests.map(databaseOf))
  expect(new Set([own, ...databases]).size).toBe(4)
  for (const { postgres } of tests) expect(errorOf(await run(postgres.url, insert))).toBeUndefined()
  for (const one of tests) await one.close()
  end()
  expect(databases).toContain(await databaseOf(file))
  expect(rowsOf(await run(vivarium.postgres.url, count))).toEqual([['2']])
  const later = await Promise.all(databases.map(() => vivarium.openSandbox({ concurrent: true })))
  expect(await Promise.all(later.map(databaseOf))).not.toContain(await databaseOf(file))
})

test('meanwhile nothing can be done in the file’s sandbox, and nothing opened inside it', async () => {
  const end = testsRunAtOnce()
  const one = await vivarium.openSandbox({ title: 'one', concurrent: true })
  await run(one.postgres.url, insert)
  expect(errorOf(await run(file.postgres.url, insert))).toMatchObject({ C: '55000' })
  await expect(vivarium.openSandbox({ within: file })).rejects.toMatchObject({ code: 'SANDBOX_ALREADY_OPEN' })
  await one.close()
  end()
  const inner = await vivarium.openSandbox({ within: file })
  expect(rowsOf(await run(file.postgres.url, count))).toEqual([['2']])
  await inner.close()
})

test('a file that did something keeps its database to itself', async () => {
  await run(vivarium.postgres.url, insert)
  const end = testsRunAtOnce()
  const one = await vivarium.openSandbox({ title: 'one', concurrent: true })
  expect(rowsOf(await run(one.postgres.url, count))).toEqual([['2']])
  await one.close()
  end()
  expect(rowsOf(await run(vivarium.postgres.url, count))).toEqual([['3']])
})

test('closing the file first closes what works in its place', async () => {
  testsRunAtOnce()
  const one = await vivarium.openSandbox({ title: 'one', concurrent: true })
  await run(one.postgres.url, insert)
  await file.close()
  expect(errorOf(await run(one.postgres.url, count))).toMatchObject({ C: '55000' })
  await one.close()
})
