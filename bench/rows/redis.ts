import { openArm } from '../process/arm-handle.ts'
import type { ResultRow } from '../results.ts'
import { compareArms } from './compare.ts'
import type { BenchPlan } from './plan.ts'
import { measureRow } from './row.ts'

/** What Redis through the gateway costs, against the same client directly on the same server. */
export async function measureRedis({ redis }: BenchPlan): Promise<ResultRow[]> {
  const { commands, pipelines, tests } = redis
  const opened = await openArm('redis', {}).catch((error: unknown) => error as Error)
  // A machine without Redis: the rows say so.
  const arm = (): Exclude<typeof opened, Error> => {
    if (opened instanceof Error) throw opened
    return opened
  }
  try {
    return [
      await measureRow(
        {
          id: 'redis-get',
          what: 'Redis through the gateway, a GET by ioredis, against a direct connection',
          unit: 'times',
          hold: { comparison: 'at most', value: 1.3 },
        },
        () =>
          compareArms(
            { arm: arm(), operation: 'get', count: commands, name: 'gateway' },
            { arm: arm(), operation: 'get directly', count: commands, name: 'direct' },
            redis,
            'µs',
          ),
      ),
      await measureRow({ id: 'redis-pipeline', what: 'The same, a pipeline of 100 GETs, each', unit: 'times' }, () =>
        compareArms(
          { arm: arm(), operation: 'pipeline', count: pipelines, name: 'gateway', per: 100 },
          { arm: arm(), operation: 'pipeline directly', count: pipelines, name: 'direct', per: 100 },
          redis,
          'µs',
        ),
      ),
      await measureRow(
        {
          id: 'redis-test',
          what: 'A test with Redis (open, SET, GET, close), against the two commands on a plain connection',
          unit: 'times',
        },
        () =>
          compareArms(
            { arm: arm(), operation: 'test with Redis', count: tests, name: 'Vivarium' },
            { arm: arm(), operation: 'test', count: tests, name: 'with no isolation' },
            redis,
            'µs',
          ),
      ),
    ]
  } finally {
    if (!(opened instanceof Error)) await opened[Symbol.asyncDispose]()
  }
}
