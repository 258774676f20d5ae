import { drivers } from '../arms/drivers.ts'
import type { BenchHost } from '../host.ts'
import type { ArmHandle } from '../process/arm-handle.ts'
import type { ResultRow } from '../results.ts'
import { compareArms } from './compare.ts'
import type { BenchPlan } from './plan.ts'
import { measureRow } from './row.ts'

/** The two statements of a test by each client library, through the gateway against a direct connection. */
export async function measureDrivers(host: BenchHost, plain: ArmHandle, plan: BenchPlan): Promise<ResultRow[]> {
  const rows: ResultRow[] = []
  for (const name of drivers) {
    const half = { operation: `pair by ${name}`, count: plan.drivers.count } as const
    rows.push(
      await measureRow(
        {
          id: `driver-${name.toLowerCase().replaceAll('.', '-')}`,
          what: `${name}: insert a row and select it, through the gateway against a direct connection`,
          unit: 'times',
        },
        () =>
          compareArms(
            { ...half, arm: host.vivarium, name: 'gateway' },
            { ...half, arm: plain, name: 'direct' },
            plan.drivers,
            'µs',
          ),
      ),
    )
  }
  return rows
}
