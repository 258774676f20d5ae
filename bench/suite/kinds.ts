/** What the tests of a generated suite do. */
export interface SuiteKind {
  /** Files of this folder that are copied beside the tests. */
  readonly sources: readonly string[]
  /** One of the sources, run in each worker before every other set-up file. */
  readonly firstSetUp?: string
  /** The text of one test file. */
  testFile(file: number, tests: number): string
}

/** Statements that each test of {@link ordersSuite} sends. */
export const statementsPerTest = 14

/** An order, from the user's registration to the payment: fourteen statements, four of them in one transaction. */
export const ordersSuite: SuiteKind = {
  sources: ['application.mjs'],
  testFile: (file, tests) => {
    const cases = Array.from({ length: tests }, (_, index) => {
      const name = `f${file}-t${index + 1}`
      return `test('order ${name} is paid', () => orderIsPaid('${name}-' + run))`
    })
    return `import { afterAll, test } from 'vitest'
import { closeApplication, orderIsPaid } from './application.mjs'

// Without isolation the rows of earlier runs are still there.
const run = process.pid + '-' + Date.now()
afterAll(closeApplication)

${cases.join('\n')}
`
  },
}

/** One statement a file: how long a worker takes from its first set-up file to the answer is written down. */
export const firstStatementSuite: SuiteKind = {
  sources: ['mark-start.mjs'],
  firstSetUp: 'mark-start.mjs',
  testFile: () => `import { expect, test } from 'vitest'
import pg from 'pg'
import { workerReady } from './mark-start.mjs'

test('the first statement is answered', async () => {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL })
  await client.connect()
  const { rows } = await client.query('select count(*)::int as count from catalog')
  workerReady()
  expect(rows[0].count).toBe(1000)
  await client.end()
})
`,
}
