import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findServer, findState, identifySelf, isRunning } from './process-identity.ts'

test('this process is alive; the same number with another start is dead', () => {
  expect(findState(identifySelf())).toBe('alive')
  expect(findState({ ...identifySelf(), started: 'at another time' })).toBe('dead')
})

test('a process of an earlier boot is dead, one of another namespace unknown', () => {
  const self = identifySelf()
  const [boot, namespace] = self.realm.split(' ')
  expect(findState({ ...self, realm: `earlier ${namespace}` })).toBe('dead')
  expect(findState({ ...self, realm: `${boot} other` })).toBe('unknown')
})

test('a process that ended does not run', async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' })
  await once(child, 'spawn')
  expect(isRunning(child.pid!)).toBe(true)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(isRunning(child.pid!)).toBe(false)
})

test.each(['', 'nonsense', '0', '1', '-1', `${process.pid}`])(
  'a lock file with "%s" names no server of its folder',
  (content) => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'viv-lock-')))
    writeFileSync(join(folder, 'postmaster.pid'), `${content}\n`)
    expect(findServer(join(folder, 'postmaster.pid'), folder)).toBeUndefined()
    rmSync(folder, { recursive: true })
  },
)

test('a process whose working directory is the data folder is its server', async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'viv-lock-')))
  // Where there is no /proc the command line is looked at instead.
  const child = spawn('sh', ['-c', 'sleep 60; :', folder], { cwd: folder, stdio: 'ignore', detached: true })
  await once(child, 'spawn')
  writeFileSync(join(folder, 'postmaster.pid'), `${child.pid}\n`)
  expect(findServer(join(folder, 'postmaster.pid'), folder)).toBe(child.pid)
  process.kill(-child.pid!, 'SIGKILL')
  await once(child, 'exit')
  expect(findServer(join(folder, 'postmaster.pid'), folder)).toBeUndefined()
  rmSync(folder, { recursive: true })
})
