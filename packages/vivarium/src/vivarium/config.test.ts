import { expect, test } from 'vitest'
import { defineConfig, resolveOptions } from './config.ts'

const context = { source: 'vivarium.config.ts', folder: '/app', environment: {} }

test('defineConfig returns what it was given', () => {
  const options = { postgres: { migrations: './migrations' } }
  expect(defineConfig(options)).toBe(options)
})

test('what was left out gets its default, and relative paths start at the folder of the configuration', () => {
  expect(resolveOptions({ postgres: { migrations: './migrations' } }, context)).toEqual({
    postgres: {
      migrations: '/app/migrations',
      url: undefined,
      version: undefined,
      env: 'DATABASE_URL',
      isolation: 'transaction',
      waitMs: undefined,
      nestAfterMs: undefined,
      migrationDeadlineMs: undefined,
    },
    fidelity: 'warn',
  })
  expect(resolveOptions({}, context)).toEqual({ postgres: undefined, fidelity: 'warn' })
})

test('each form of migrations keeps its parts, with absolute paths', () => {
  const run = (): void => undefined
  const migrations = (given: unknown): unknown =>
    resolveOptions({ postgres: { migrations: given } }, context).postgres?.migrations
  expect(migrations('/elsewhere')).toBe('/elsewhere')
  expect(migrations({ folder: 'sql' })).toEqual({ folder: '/app/sql' })
  expect(migrations({ command: 'npm run migrate', inputs: ['sql', '/x'] })).toEqual({
    command: 'npm run migrate',
    inputs: ['/app/sql', '/x'],
  })
  expect(migrations({ run, inputs: ['schema.ts'] })).toEqual({ run, inputs: ['/app/schema.ts'] })
})

test('the environment wins over the configuration', () => {
  const environment = { VIVARIUM_POSTGRES_URL: 'postgres://ci/db', VIVARIUM_ISOLATION: 'database' }
  const options = { postgres: { url: 'postgres://mine/db', isolation: 'transaction' } }
  expect(resolveOptions(options, { ...context, environment }).postgres).toMatchObject({
    url: 'postgres://ci/db',
    isolation: 'database',
  })
})

test.each([
  [{ postgre: {} }, 'Unknown option `postgre` in vivarium.config.ts', 'Did you mean `postgres`?'],
  [{ postgres: { migration: 'x' } }, 'Unknown option `postgres.migration`', 'Did you mean `migrations`?'],
  [{ postgres: { colour: 'x' } }, 'Unknown option `postgres.colour`', 'Known here: migrations, url'],
  [{ postgres: { migrations: { folder: 'x', input: [] } } }, '`postgres.migrations.input`', 'Known here: folder'],
  [{ postgres: { migrations: { command: 'x' } } }, '`postgres.migrations.inputs`', 'a list of the files'],
  [{ postgres: { migrations: { command: 7, inputs: ['x'] } } }, '`postgres.migrations.command`', 'a shell command'],
  [{ postgres: { migrations: { run: 'x', inputs: ['x'] } } }, '`postgres.migrations.run`', 'a function'],
  [{ postgres: { migrations: ['x'] } }, '`postgres.migrations`', '{ run, inputs }'],
  [{ postgres: { migrations: '' } }, '`postgres.migrations`', 'a folder'],
  [{ postgres: { isolation: 'schema' } }, '`postgres.isolation`', "'transaction' or 'database'"],
  [{ postgres: { url: 5432 } }, '`postgres.url`', 'Seen: 5432'],
  [{ fidelity: 'ignore' }, '`fidelity`', "'warn' or 'fail'"],
  [{ postgres: { waitMs: 0 } }, '`postgres.waitMs`', 'above 0'],
  [{ postgres: { migrationDeadlineMs: '1 s' } }, '`postgres.migrationDeadlineMs`', 'above 0'],
  [{ postgres: { maxConnections: 0 } }, '`postgres.maxConnections`', 'a whole number of at least 1'],
  [{ postgres: { warmClones: 1.5 } }, '`postgres.warmClones`', 'a whole number of at least 0'],
  [{ postgres: true }, '`postgres`', 'an object'],
  [undefined, 'The configuration', 'Seen: nothing'],
])('%j is refused, naming the option and what to do', (options, what, remedy) => {
  const resolving = (): unknown => resolveOptions(options, context)
  expect(resolving).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  expect(resolving).toThrow(what)
  expect(resolving).toThrow(remedy)
})

test('a wrong VIVARIUM_ISOLATION is refused by that name', () => {
  const environment = { VIVARIUM_ISOLATION: 'full' }
  expect(() => resolveOptions({ postgres: {} }, { ...context, environment })).toThrow(
    '`VIVARIUM_ISOLATION` in the environment',
  )
})
