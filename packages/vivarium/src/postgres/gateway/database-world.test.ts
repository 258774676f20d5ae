import { expect, test } from 'vitest'
import { Recorder } from '../../core/interactions.ts'
import { ConnectionBudget } from '../connection/connection-budget.ts'
import type { LeasePool } from '../leases/lease.ts'
import { DatabaseWorld } from './database-world.ts'

test('a sandbox that never speaks to Postgres takes no database', async () => {
  const asked: unknown[] = []
  const work: unknown[] = []
  const leases = {
    acquire: (options: unknown) => {
      asked.push(options)
      return Promise.reject(new Error('no database here'))
    },
  } as unknown as LeasePool
  const world = new DatabaseWorld({
    title: 'idle',
    recorder: new Recorder(),
    leases,
    budget: new ConnectionBudget(1),
    base: undefined,
  })
  const close = world.close(
    undefined,
    () => undefined,
    (begun) => work.push(begun),
  )
  expect(await close).toEqual([])
  expect({ asked, work }).toEqual({ asked: [], work: [] })
})
