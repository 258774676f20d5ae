import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { installPackage } from '../support/installed-package.ts'
import { runVitest } from '../support/run-vitest.ts'
import { app } from './app.ts'

const killer = `
  import { readFileSync, writeFileSync } from 'node:fs'
  import { expect, inject, test } from 'vitest'
  import { addUser } from './app'
  const folder = inject('vivarium').postgres.run.maintenance.socketFolder
  test('kills the server', async () => {
    await addUser('one')
    writeFileSync('folder.txt', folder)
    process.kill(Number(readFileSync(folder + '/data/postmaster.pid', 'utf8').split('\\n')[0]), 'SIGKILL')
    await expect.poll(() => addUser('two').catch((error) => error.message)).toMatch(/lost its database session/)
  })
`

test('a server that dies mid-run is named at once and at the end, fails the run, and leaves nothing', async () => {
  await using installed = await installPackage()
  const project = installed.writeProject('server-dies', { ...app, 'killer.test.ts': killer })
  const outcome = await runVitest(project, { env: { VIVARIUM_CACHE_DIR: installed.cacheFolder } })
  expect(outcome.code, outcome.output).toBe(1)
  expect(outcome.test('kills the server').failureMessages.join('\n')).toMatch(/SANDBOX_BROKEN/)
  expect(outcome.output).toMatch(/The embedded PostgreSQL server ended while it was in use[^]*SIGKILL/)
  expect(outcome.output).toMatch(/SERVER_DIED/)
  expect(existsSync(readFileSync(`${project}/folder.txt`, 'utf8'))).toBe(false)
})
