import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateOpenApi } from '../fixture/openapi.ts'
import { runProbe } from '../process/probe.ts'
import type { ResultRow } from '../results.ts'
import { summarise } from '../statistics.ts'
import type { Spread } from '../statistics.ts'
import { openTemporaryFolder } from '../temporary-folder.ts'
import type { BenchPlan } from './plan.ts'
import { measureRow } from './row.ts'

const operations = 500

/** What checking by an OpenAPI document costs: the first request, when what it needs is compiled, and the later ones. */
export async function measureContract(plan: BenchPlan): Promise<ResultRow[]> {
  await using folder = await openTemporaryFolder('contract')
  const path = join(folder.path, 'openapi.json')
  const document = JSON.stringify(generateOpenApi(operations))
  await writeFile(path, document)
  const megabytes = (document.length / 1_000_000).toFixed(1)
  const size = `an OpenAPI document of ${operations} operations, ${megabytes} MB`
  const rounds: Record<string, number>[] = []
  const of = (name: string): Spread => summarise(rounds.map((round) => round[name] ?? Number.NaN))
  const first = await measureRow(
    {
      id: 'contract-first',
      what: `The first request checked by ${size}`,
      unit: 'ms',
      hold: { comparison: 'at most', value: 50 },
      note: 'An absolute: in a process of its own, once `openContract` has resolved. Its operation and schemas are read and compiled in it.',
    },
    async () => {
      for (let round = 0; round < plan.children.rounds; round++) rounds.push(await runProbe('contract-probe', [path]))
      return {
        measured: of('firstRequestMs'),
        absolutes: [
          { what: 'its response', median: of('firstResponseMs').median, unit: 'ms' },
          { what: '`openContract`, from a file', median: of('openMs').median, unit: 'ms' },
        ],
      }
    },
  )
  const later = await measureRow(
    {
      id: 'contract-later',
      what: `A later request checked by ${size}`,
      unit: 'ms',
      hold: { comparison: 'at most', value: 0.1 },
      note: 'An absolute: the median of 2,000 in each process. A form with nested brackets, a query, a path.',
    },
    () => ({
      measured: of('requestMs'),
      absolutes: [{ what: 'its response', median: of('responseMs').median * 1_000, unit: 'µs' }],
    }),
  )
  return [first, later]
}
