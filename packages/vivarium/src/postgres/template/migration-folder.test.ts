import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { hashMigrations } from './hash-migrations.ts'
import { findSurprisingOrder, readMigrationFolder } from './migration-folder.ts'
import { readMigrationText } from './migration-text.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vivarium-migrations-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function put(name: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true })
  await writeFile(join(folder, name), content)
}

async function names(): Promise<string[]> {
  return (await readMigrationFolder(folder)).map((file) => file.name)
}

test('files and sub-folders with a migration.sql run in one order, by name', async () => {
  await put('0003_c.sql', '')
  await put('0002_b/migration.sql', '')
  await put('0001_a.sql', '')
  await put('Z.sql', '')
  await put('a.sql', '')
  await put('meta/journal.json', '')
  await put('migration_lock.toml', '')
  await put('.hidden.sql', '')
  expect(await names()).toEqual(['0001_a.sql', '0002_b/migration.sql', '0003_c.sql', 'Z.sql', 'a.sql'])
})

test('a way down beside its way up is left out', async () => {
  await put('1.up.sql', '')
  await put('1.down.sql', '')
  await put('2.down.sql', '')
  expect(await names()).toEqual(['1.up.sql', '2.down.sql'])
})

test('a folder that is missing, empty, or holds no SQL is refused with what was seen', async () => {
  await expect(readMigrationFolder(join(folder, 'nowhere'))).rejects.toMatchObject({
    code: 'MIGRATIONS_NOT_FOUND',
    seen: expect.stringContaining('ENOENT') as string,
  })
  await expect(readMigrationFolder(folder)).rejects.toMatchObject({ seen: 'the folder is empty' })
  await put('001.ts', '')
  await put('old/001.sql', '')
  await expect(readMigrationFolder(folder)).rejects.toMatchObject({ seen: 'only 001.ts, old' })
})

test('numbers without padding are found, because 10 runs before 2', () => {
  expect(findSurprisingOrder(['10_a.sql', '2_b.sql'])).toEqual(['10_a.sql', '2_b.sql'])
  expect(findSurprisingOrder(['V10__a.sql', 'V2__b.sql'])).toEqual(['V10__a.sql', 'V2__b.sql'])
  expect(findSurprisingOrder(['01_a.sql', '02_b.sql', 'x.sql'])).toBeUndefined()
})

test('a byte order mark is taken away, and what is not UTF-8 is refused with its line', async () => {
  await put('1.sql', '\uFEFFselect 1')
  await put('2.sql', Buffer.concat([Buffer.from("select 1;\nselect '"), Buffer.from([0xe4]), Buffer.from("'")]))
  await put('3.sql', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('select 1', 'utf16le')]))
  const [first, second, third] = await readMigrationFolder(folder)
  expect(readMigrationText(first!)).toBe('select 1')
  expect(() => readMigrationText(second!)).toThrow(/is not UTF-8[\s\S]*in line 2/)
  expect(() => readMigrationText(third!)).toThrow(/UTF-16/)
})

test('a file of another tool that holds the way down too is refused', async () => {
  await put('1.sql', '-- migrate:up\ncreate table a ();\n-- migrate:down\ndrop table a;')
  const [file] = await readMigrationFolder(folder)
  expect(() => readMigrationText(file!)).toThrow(/1\.sql:3:1[\s\S]*command/)
})

test('the hash follows content, names, server version and role, and nothing else', async () => {
  await put('1.sql', 'select 1')
  const first = await hashMigrations(folder)
  expect(first).toMatch(/^[0-9a-f]{32}$/)
  await put('README.md', 'x')
  expect(await hashMigrations({ folder })).toBe(first)
  const others = [await hashMigrations(folder, { major: 17 }), await hashMigrations(folder, { role: 'a' })]
  await put('1.sql', 'select 2')
  others.push(await hashMigrations(folder))
  await put('1.sql', 'select 1')
  await put('2.sql', '')
  others.push(await hashMigrations(folder))
  await rm(join(folder, '2.sql'))
  expect(await hashMigrations(folder)).toBe(first)
  expect(new Set([first, ...others]).size).toBe(5)
})

test('a moved folder keeps its hash', async () => {
  await put('one/1.sql', 'select 1')
  await put('two/1.sql', 'select 1')
  expect(await hashMigrations(join(folder, 'one'))).toBe(await hashMigrations(join(folder, 'two')))
})

test('a moved checkout keeps the hash of a command, and two inputs do not change places unseen', async () => {
  for (const checkout of ['one', 'two/deeper']) {
    await put(`${checkout}/prisma/schema.prisma`, 'a')
    await put(`${checkout}/seed/seed.ts`, 'b')
  }
  const hashOf = (checkout: string, names: readonly string[]): Promise<string> =>
    hashMigrations({ command: 'migrate', inputs: names.map((name) => join(folder, checkout, name)) })
  const names = ['prisma', 'seed/seed.ts']
  const first = await hashOf('one', names)
  expect(await hashOf('two/deeper', names)).toBe(first)
  expect(await hashOf('one', names.toReversed())).not.toBe(first)
  expect(await hashOf('one', ['prisma/'])).toBe(await hashOf('two/deeper', ['prisma']))
  expect(await hashOf('one', ['prisma'])).not.toBe(first)
})

test('the hash of a command follows the command and all files of its inputs', async () => {
  await put('prisma/schema.prisma', 'a')
  const inputs = [join(folder, 'prisma')]
  const first = await hashMigrations({ command: 'migrate', inputs })
  expect(await hashMigrations({ command: 'migrate --all', inputs })).not.toBe(first)
  await put('prisma/node_modules/x', 'a')
  expect(await hashMigrations({ command: 'migrate', inputs })).toBe(first)
  await put('prisma/deep/er', 'a')
  expect(await hashMigrations({ command: 'migrate', inputs })).not.toBe(first)
  await expect(hashMigrations({ command: 'migrate', inputs: [join(folder, 'x')] })).rejects.toMatchObject({
    code: 'MIGRATIONS_NOT_FOUND',
  })
  await expect(hashMigrations({ run: () => undefined, inputs })).resolves.toMatch(/^[0-9a-f]{32}$/)
})
