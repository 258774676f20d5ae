import { describe, expect, test } from 'vitest'
import { renderResults, replaceTable } from './render.ts'
import { holds } from './results.ts'
import type { BenchResults, ResultRow } from './results.ts'

const spread = { median: 1.234, low: 1.1, high: 1.5, samples: 9 }

function results(...rows: ResultRow[]): BenchResults {
  return {
    date: '2026-01-02T03:04:05.000Z',
    mode: 'full',
    environment: {
      processor: 'A processor',
      cores: 2,
      memoryGb: 8,
      platform: 'linux x64',
      node: '20.19.0',
      server: '18.4',
      pg: '8',
      pglite: '0.5',
      pgTransactionalTests: '1',
      vitest: '4',
    },
    rows,
  }
}

function lineOf(row: ResultRow): string | undefined {
  return renderResults(results(row))
    .split('\n')
    .find((line) => line.startsWith('| 1 |'))
}

test('lines that were kept from an earlier day say so', () => {
  const row = (id: string, date?: string): ResultRow => ({
    id,
    what: id,
    unit: 'times',
    measured: spread,
    ...(date && { date }),
  })
  const earlier = '2025-12-31T00:00:00.000Z'
  const text = renderResults(results(row('a', earlier), row('b', earlier), row('c'), row('d', earlier)))
  expect(text).toContain('Taken on 2026-01-02:')
  expect(text).toContain('Of 2025-12-31, with the code of that day: 1–2, 4.')
  expect(renderResults(results(row('c')))).not.toContain('Of ')
})

describe('a rendered row', () => {
  test('shows the ratio, its spread, the bound, and that it holds', () => {
    const hold = { comparison: 'at most', value: 2 } as const
    expect(lineOf({ id: 'a', what: 'A thing', unit: 'times', hold, measured: spread })).toBe(
      '| 1 | A thing | 1.23× (1.10–1.50) | ≤ 2.00× | yes |  |',
    )
  })

  test('says so when the bound does not hold', () => {
    const hold = { comparison: 'at most', value: 1.2 } as const
    expect(lineOf({ id: 'a', what: 'A thing', unit: 'times', hold, measured: spread })).toContain('| **no** |')
  })

  test('a lower bound holds from its value upwards', () => {
    const row: ResultRow = { id: 'a', what: '', unit: 'per second', hold: { comparison: 'at least', value: 1.234 } }
    expect(holds({ ...row, measured: spread })).toBe(true)
    expect(holds({ ...row, measured: { ...spread, median: 1.2 } })).toBe(false)
  })

  test('what could not be measured shows the reason, no number and no verdict', () => {
    const row: ResultRow = {
      id: 'a',
      what: 'A thing',
      unit: 'times',
      hold: { comparison: 'at most', value: 2 },
      failure: 'the server\nis | gone',
    }
    expect(lineOf(row)).toBe('| 1 | A thing | not measured: the server is \\| gone | ≤ 2.00× |  |  |')
  })

  test('what is not faster is called slower, with the ratio turned over', () => {
    const measured = { median: 0.5, low: 0.4, high: 0.8, samples: 3 }
    expect(lineOf({ id: 'a', what: 'A thing', unit: 'times faster', measured })).toContain(
      '| 2.00× slower (1.25–2.50) |',
    )
    expect(lineOf({ id: 'a', what: 'A thing', unit: 'times faster', measured: spread })).toContain('| 1.23× faster (')
  })

  test('without a bound there is no verdict', () => {
    expect(lineOf({ id: 'a', what: 'A thing', unit: 'ms', measured: spread })).toBe(
      '| 1 | A thing | 1.23 ms (1.10–1.50) |  |  |  |',
    )
  })

  test('absolutes keep their unit, and large numbers their thousands apart', () => {
    const absolutes = [
      { what: 'one', median: 5_432.1, unit: 'per second' as const },
      { what: 'two', median: 0.0123, unit: 'ms' as const },
    ]
    expect(lineOf({ id: 'a', what: 'A thing', unit: 'times', measured: spread, absolutes })).toContain(
      '| one 5,432 per second, two 0.012 ms |',
    )
  })

  test('a note stands under the table with the number of its line', () => {
    const table = renderResults(
      results(
        { id: 'a', what: 'A', unit: 'ms', measured: spread },
        { id: 'b', what: 'B', unit: 'ms', note: 'Because.' },
      ),
    )
    expect(table).toContain('\n2. Because.')
  })

  test('a quick run calls itself one', () => {
    expect(renderResults({ ...results(), mode: 'quick' })).toContain('A quick run')
    expect(renderResults(results())).not.toContain('A quick run')
  })
})

describe('replaceTable', () => {
  test('replaces what stands between the two marks and nothing else', () => {
    const document = 'before\n<!-- bench:start -->\nold\n<!-- bench:end -->\nafter\n'
    const replaced = replaceTable(document, 'new')
    expect(replaced).toBe('before\n<!-- bench:start -->\nnew\n<!-- bench:end -->\nafter\n')
    expect(replaceTable(replaced, 'new')).toBe(replaced)
  })

  test('a document without the marks is refused', () => {
    expect(() => replaceTable('nothing here', 'new')).toThrow('bench:start')
  })
})
