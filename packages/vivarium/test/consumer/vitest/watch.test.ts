import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { installPackage } from '../support/installed-package.ts'
import { findLeftovers } from '../support/leftovers.ts'
import { startNode } from '../support/run-process.ts'
import { app } from './app.ts'

test('watch mode keeps the server between reruns, and ends it at the end', async () => {
  await using installed = await installPackage()
  const project = installed.writeProject('project', {
    ...app,
    'one.test.ts': `
      import { appendFileSync } from 'node:fs'
      import { expect, test } from 'vitest'
      import { addUser, pool } from './app'
      test('adds a user', async () => {
        expect(await addUser('one')).toBe(1)
        const { rows } = await pool.query('select pg_postmaster_start_time()::text as started')
        appendFileSync('seen.txt', rows[0].started + '\\n')
      })`,
    'watch.mjs': `
      import { createVitest } from 'vitest/node'
      const vitest = await createVitest('test', { watch: true })
      await vitest.start()
      await vitest.rerunFiles()
      await vitest.rerunFiles()
      const states = vitest.state.getTestModules().map((module) => module.state())
      await vitest.close()
      console.log('states ' + JSON.stringify(states))
      process.exit()`,
  })
  const env = { VIVARIUM_CACHE_DIR: installed.cacheFolder }
  const watching = startNode(['watch.mjs'], { cwd: project, env })
  const outcome = await watching.ended
  const output = `${outcome.stdout}\n${outcome.stderr}`
  expect(output).toContain('states ["passed"]')
  const seen = readFileSync(join(project, 'seen.txt'), 'utf8').trim().split('\n')
  expect(seen, output).toHaveLength(3)
  expect(new Set(seen).size).toBe(1)
  expect(findLeftovers(watching.pid)).toEqual({ folders: [], processes: [] })
})
