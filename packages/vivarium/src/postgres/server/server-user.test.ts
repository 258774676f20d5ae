import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { canReach, findServerUser } from './server-user.ts'

test('only root needs another user, and gets the first that exists', () => {
  expect(findServerUser({ uid: 1000 })).toBeUndefined()
  expect(findServerUser({ uid: 0, names: ['no-such-user-here', 'root', 'nobody'] })?.name).toBe('nobody')
})

test('another user reaches what every folder on the way lets them pass to', () => {
  const stranger = { name: 'stranger', uid: 54_321, gid: 54_321 }
  const folder = mkdtempSync('/tmp/viv-reach-')
  const inner = join(folder, 'inner')
  const file = join(inner, 'file')
  mkdirSync(inner)
  writeFileSync(file, '')
  const modes = (outer: number, middle: number, own: number): boolean[] => {
    chmodSync(folder, outer)
    chmodSync(inner, middle)
    chmodSync(file, own)
    return [canReach(file, stranger, 'read'), canReach(file, stranger, 'execute')]
  }
  expect(modes(0o755, 0o711, 0o644)).toEqual([true, false])
  expect(modes(0o755, 0o711, 0o755)).toEqual([true, true])
  expect(modes(0o700, 0o755, 0o755)).toEqual([false, false])
  expect(modes(0o755, 0o750, 0o755)).toEqual([false, false])
  expect(modes(0o755, 0o755, 0o750)).toEqual([false, false])
  expect(canReach(join(folder, 'missing'), stranger, 'read')).toBe(false)
  rmSync(folder, { recursive: true })
})
