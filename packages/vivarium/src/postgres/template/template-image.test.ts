import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startEmbeddedServer } from '../server/embedded-server.ts'
import { buildTemplate } from './build-template.ts'
import { hashMigrations } from './hash-migrations.ts'

test('an embedded server that starts from the image of an earlier one has the template already', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vivarium-image-'))
  const migrations = join(folder, 'migrations.cjs')
  await writeFile(migrations, '')
  try {
    let runs = 0
    const source = { run: () => void runs++, inputs: [migrations] }
    const hash = await hashMigrations(source)
    const found: boolean[] = []
    for (let round = 0; round < 2; round++) {
      await using server = await startEmbeddedServer({ cacheFolder: join(folder, 'cache'), image: hash })
      const template = await buildTemplate(server, source, { hash, env: 'DATABASE_URL' })
      found.push(template.built, (await buildTemplate(server, source, { hash, env: 'DATABASE_URL' })).built)
    }
    expect(found).toEqual([true, false, false, false])
    expect(runs).toBe(1)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
