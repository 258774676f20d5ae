import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { openVivarium, SandboxFailures } from '../../src/index.ts'
import type { Sandbox, Vivarium } from '../../src/index.ts'
import { withDeadline } from '../../src/core/clock.ts'
import { findProcesses, waitFor } from './server-folders.ts'

const late = (): Error => new Error('it did not end in time')

/** A vivarium on a server of its own, whatever VIVARIUM_POSTGRES_URL says, and how to kill that server. */
async function openWithServer(): Promise<{ vivarium: Vivarium; runFolder: string; kill: () => void }> {
  const vivarium = await openVivarium({ postgres: {} })
  onTestFinished(() => vivarium.close().catch(() => undefined))
  const runFolder = vivarium.describe().postgres?.run.maintenance.socketFolder ?? 'no folder'
  const pid = Number(readFileSync(join(runFolder, 'data/postmaster.pid'), 'utf8').split('\n')[0])
  expect(pid).toBeGreaterThan(1)
  return { vivarium, runFolder, kill: () => process.kill(pid, 'SIGKILL') }
}

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

/** What became of a statement, in words. */
function answerOf(client: Client, text: string): Promise<string> {
  return withDeadline(client.query(text), 10_000, late).then(
    () => 'it was answered',
    (error: Error) => error.message,
  )
}

async function untilRunning(serverUrl: string, text: string): Promise<void> {
  const observer = await connect(serverUrl)
  const find = `select count(*)::int as n from pg_stat_activity where state = 'active' and query like $1 and pid <> pg_backend_pid()`
  await expect.poll(async () => (await observer.query(find, [`%${text}%`])).rows).toEqual([{ n: 1 }])
  await observer.end()
}

async function failuresOf(sandbox: Sandbox): Promise<readonly { code?: string; message: string }[]> {
  const outcome = await withDeadline(
    sandbox.close().then(
      () => undefined,
      (error: unknown) => error,
    ),
    10_000,
    late,
  )
  if (!(outcome instanceof SandboxFailures)) throw new Error(`the sandbox closed without a failure: ${String(outcome)}`)
  return outcome.errors as { code?: string; message: string }[]
}

test('kill -9 of the server fails the pending query and the sandbox, and closing leaves nothing', async () => {
  const { vivarium, runFolder, kill } = await openWithServer()
  const sandbox = await vivarium.openSandbox({ title: 'the one with the dead server' })
  const client = await connect(vivarium.postgres.url)
  await client.query('create table t (a int)')
  const outcome = answerOf(client, 'select pg_sleep(600)')
  await untilRunning(vivarium.postgres.serverUrl, 'pg_sleep(600)')
  kill()
  expect(await outcome).toMatch(/lost its database session/)

  const failures = await failuresOf(sandbox)
  const broken = failures.find(({ code }) => code === 'SANDBOX_BROKEN')
  expect(broken?.message).toMatch(/"the one with the dead server"[^]*Seen: .*\S/)

  await expect
    .poll(() => vivarium.openSandbox().catch((error: unknown) => error))
    .toMatchObject({ code: 'SERVER_DIED', message: expect.stringMatching(/SIGKILL/) as string })
  await withDeadline(vivarium.close(), 10_000, late)
  expect(existsSync(runFolder)).toBe(false)
  await waitFor('processes are gone', () => findProcesses(runFolder).length === 0)
})

test('a server that died while its sandbox did nothing is named at close', async () => {
  const { vivarium, kill } = await openWithServer()
  const sandbox = await vivarium.openSandbox()
  const client = await connect(sandbox.postgres.url)
  await client.query('select 1')
  kill()
  // A backend that is busy just then notices a little later that its server is gone.
  await expect.poll(() => answerOf(client, 'select 2')).toMatch(/lost its database session/)
  const codes = (await failuresOf(sandbox)).map(({ code }) => code)
  expect(codes).toContain('SANDBOX_BROKEN')
  await withDeadline(vivarium.close(), 10_000, late)
})
