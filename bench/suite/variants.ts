/** The ways the generated suite is run; the tests and the application are the same files in each. */
export type SuiteVariant = 'no isolation' | 'vivarium' | 'vivarium embedded' | 'pg-transactional-tests' | 'truncate'

/** What a variant's Vitest configuration and set-up file need to know. */
export interface SuiteServer {
  /** The server's URL, for Vivarium; its role may create databases. */
  serverUrl: string
  /** One database for each of Vitest's workers, for the variants without Vivarium. */
  databaseUrls: readonly string[]
  migrations: string
  truncate: string
}

/** The text of the variant's `vitest.config.mjs`. `firstSetUp` runs before every other set-up file, Vivarium's too. */
export function configOf(variant: SuiteVariant, server: SuiteServer, firstSetUp?: string): string {
  const { serverUrl: url, migrations } = server
  const isVivarium = variant === 'vivarium' || variant === 'vivarium embedded'
  const options = JSON.stringify({ postgres: variant === 'vivarium' ? { url, migrations } : { migrations } })
  const plugins = [...(isVivarium ? [`vivarium(${options})`] : []), ...(firstSetUp === undefined ? [] : ['first'])]
  return lines(
    "import { defineConfig } from 'vitest/config'",
    ...(isVivarium ? ["import { vivarium } from 'vivarium/vitest'"] : []),
    ...(firstSetUp === undefined
      ? []
      : ['', `const first = { name: 'first', config: addFirst }`, addFirst(firstSetUp)]),
    '',
    'export default defineConfig({',
    `  plugins: [${plugins.join(', ')}],`,
    '  test: {',
    "    include: ['*.test.mjs'],",
    "    pool: 'forks',",
    `    maxWorkers: ${server.databaseUrls.length},`,
    ...(isVivarium ? [] : [`    setupFiles: ['./set-up-${fileNameOf(variant)}.mjs'],`]),
    '  },',
    '})',
  )
}

function addFirst(setUp: string): string {
  return `function addFirst(config) {
  config.test.setupFiles = ['./${setUp}', ...config.test.setupFiles]
  config.test.sequence = { ...config.test.sequence, setupFiles: 'list' }
}`
}

/** The text of the variant's set-up file; Vivarium has none. */
export function setUpOf(variant: SuiteVariant, server: SuiteServer): string | undefined {
  const chooseDatabase = [
    `const databases = ${JSON.stringify(server.databaseUrls)}`,
    'process.env.DATABASE_URL = databases[(Number(process.env.VITEST_POOL_ID) - 1) % databases.length]',
  ]
  switch (variant) {
    case 'vivarium':
    case 'vivarium embedded':
      return undefined
    case 'no isolation':
      return lines(...chooseDatabase)
    case 'pg-transactional-tests':
      return lines(
        "import { testTransaction } from 'pg-transactional-tests'",
        "import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'",
        ...chooseDatabase,
        'beforeAll(testTransaction.start)',
        'beforeEach(testTransaction.start)',
        'afterEach(testTransaction.rollback)',
        'afterAll(testTransaction.close)',
      )
    case 'truncate':
      return lines(
        "import pg from 'pg'",
        "import { afterAll, beforeEach } from 'vitest'",
        ...chooseDatabase,
        'const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1 })',
        `beforeEach(() => pool.query(${JSON.stringify(server.truncate)}))`,
        'afterAll(() => pool.end())',
      )
  }
}

/** A variant's name as part of a file name. */
export function fileNameOf(variant: SuiteVariant): string {
  return variant.replaceAll(' ', '-')
}

function lines(...text: string[]): string {
  return `${text.join('\n')}\n`
}
