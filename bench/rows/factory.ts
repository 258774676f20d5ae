import { openArm } from '../process/arm-handle.ts'
import type { ResultRow } from '../results.ts'
import { compareArms } from './compare.ts'
import type { BenchPlan } from './plan.ts'
import { measureRow } from './row.ts'

/** What factories cost against the INSERTs that they spare, by the same sandbox. */
export async function measureFactory({ factory }: BenchPlan): Promise<ResultRow[]> {
  await using arm = await openArm('factory', {})
  return [
    await measureRow(
      {
        id: 'factory-row',
        what: 'A factory’s row with its three parents, against the four INSERTs by hand',
        unit: 'times',
        hold: { comparison: 'at most', value: 1.3 },
      },
      () =>
        compareArms(
          { arm, operation: 'row with three parents', count: factory.rows, name: 'factory' },
          { arm, operation: 'row with three parents by hand', count: factory.rows, name: 'by hand' },
          factory,
          'µs',
        ),
    ),
    await measureRow(
      {
        id: 'factory-list',
        what: '10,000 rows of five related tables by a factory, against five multi-row INSERTs by hand',
        unit: 'times',
        hold: { comparison: 'at most', value: 1.5 },
      },
      () =>
        compareArms(
          { arm, operation: 'ten thousand rows', count: factory.lists, name: 'factory' },
          { arm, operation: 'ten thousand rows by hand', count: factory.lists, name: 'by hand' },
          factory,
          'ms',
        ),
    ),
  ]
}
