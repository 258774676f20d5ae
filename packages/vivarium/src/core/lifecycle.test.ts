import { expect, test } from 'vitest'
import { closeOnce, OpenResources, openTogether } from './lifecycle.ts'

test('resources close in reverse order, all of them, and every failure is returned', async () => {
  const closed: string[] = []
  const resources = new OpenResources()
  resources.add('server', async () => void closed.push('server'))
  resources.add('leases', async () => {
    closed.push('leases')
    throw new Error('leases broke')
  })
  resources.add('gateway', () => {
    closed.push('gateway')
    throw new Error('gateway broke')
  })
  const failures = await resources.closeAll()
  expect(closed).toEqual(['gateway', 'leases', 'server'])
  expect(failures.map(String)).toEqual(['Error: gateway broke', 'Error: leases broke'])
  expect(await resources.closeAll()).toEqual([])
})

test('when opening fails midway, what was opened before is closed and the first failure stays the error', async () => {
  const closed: string[] = []
  const opening = openTogether(async (opened) => {
    opened.add('server', () => {
      closed.push('server')
      throw new Error('closing broke too')
    })
    await Promise.resolve()
    throw new Error('template broke')
  })
  await expect(opening).rejects.toThrow('template broke')
  await expect(opening).rejects.toMatchObject({
    suppressed: [expect.objectContaining({ message: 'closing broke too' })],
  })
  expect(closed).toEqual(['server'])
})

test('closing twice does the work once; the failure is reported to the first caller only', async () => {
  let calls = 0
  const close = closeOnce(async () => {
    calls++
    await Promise.resolve()
    throw new Error('broken')
  })
  const first = close()
  const second = close()
  await expect(first).rejects.toThrow('broken')
  await expect(second).resolves.toBeUndefined()
  await expect(close()).resolves.toBeUndefined()
  expect(calls).toBe(1)
})
