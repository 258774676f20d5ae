import { holds } from './results.ts'
import type { Absolute, BenchResults, Hold, ResultRow, Unit } from './results.ts'

const start = '<!-- bench:start -->'
const end = '<!-- bench:end -->'

/** The results as the Markdown that stands in the README. */
export function renderResults(results: BenchResults): string {
  const rows = results.rows.map(renderRow)
  const notes = results.rows.flatMap((row, index) => (row.note === undefined ? [] : [`${index + 1}. ${row.note}`]))
  const table = [
    '| | what | measured | hold | holds? | for information |',
    '| --: | --- | --: | --: | :-: | --- |',
    ...rows.map((cells, index) => `| ${index + 1} | ${cells.join(' | ')} |`),
  ]
  return [
    ...table,
    '',
    'Medians, the middle half of the measurements in brackets. A ratio compares two arms inside the same round; rounds are',
    'interleaved between the arms, each with one process, one `pg` client and one connection, all on one server. A direct',
    'connection is TCP; one to the gateway of the same process is joined in memory (docs/decisions/030), and goes on to the',
    'server through a unix socket where Vivarium started it, through TCP where it was given a URL (throughput, workers, tables, set-up, suite).',
    '',
    renderEnvironment(results),
    ...renderEarlier(results),
    ...(notes.length === 0 ? [] : ['', 'Notes, by line:', '', ...notes]),
  ].join('\n')
}

/** A document with its benchmark table replaced. Throws when the document has no place for it. */
export function replaceTable(document: string, table: string): string {
  const from = document.indexOf(start)
  const to = document.indexOf(end)
  if (from === -1 || to < from) throw new Error(`The document has no ${start} followed by ${end}`)
  return `${document.slice(0, from + start.length)}\n${table}\n${document.slice(to)}`
}

function renderRow(row: ResultRow): string[] {
  const verdict = holds(row)
  return [
    row.what,
    row.measured === undefined ? `not measured: ${oneLine(row.failure ?? 'no reason given')}` : renderMeasured(row),
    row.hold === undefined ? '' : renderHold(row.hold, row.unit),
    verdict === undefined ? '' : verdict ? 'yes' : '**no**',
    (row.absolutes ?? []).map(renderAbsolute).join(', '),
  ]
}

function renderMeasured({ measured, unit }: ResultRow): string {
  if (measured === undefined) return ''
  if (unit === 'times faster' && measured.median < 1) {
    // Nobody reads "0.8× faster" as slower.
    return `${round(1 / measured.median)}× slower (${round(1 / measured.high)}–${round(1 / measured.low)})`
  }
  return `${withUnit(measured.median, unit)} (${round(measured.low)}–${round(measured.high)})`
}

function renderHold(hold: Hold, unit: Unit): string {
  return `${hold.comparison === 'at most' ? '≤' : '≥'} ${withUnit(hold.value, unit)}`
}

function renderAbsolute(absolute: Absolute): string {
  return `${absolute.what} ${round(absolute.median)} ${absolute.unit}`
}

function renderEnvironment({ date, mode, environment }: BenchResults): string {
  const { processor, cores, memoryGb, platform, node, server, pg, pglite, pgTransactionalTests, vitest } = environment
  const quick = mode === 'quick' ? ' A quick run: fewer rounds, so wider spreads.' : ''
  return [
    `Taken on ${date.slice(0, 10)}: ${processor}, ${cores} cores, ${memoryGb} GB, ${platform}; Node ${node}, PostgreSQL ${server},`,
    `pg ${pg}, Vitest ${vitest}, PGlite ${pglite}, pg-transactional-tests ${pgTransactionalTests}.${quick}`,
  ].join('\n')
}

/** Which lines were taken on another day, and on which. */
function renderEarlier({ date, rows }: BenchResults): string[] {
  const dayOf = (row: ResultRow): string => (row.date ?? date).slice(0, 10)
  const days = [...new Set(rows.map(dayOf))].filter((day) => day !== date.slice(0, 10)).toSorted()
  return days.map((day) => {
    const lines = rows.flatMap((row, index) => (dayOf(row) === day ? [index + 1] : []))
    return `Of ${day}, with the code of that day: ${asRanges(lines)}.`
  })
}

/** `1–3, 5` */
function asRanges(numbers: readonly number[]): string {
  const ranges: [from: number, to: number][] = []
  for (const number of numbers) {
    const last = ranges.at(-1)
    if (last?.[1] === number - 1) last[1] = number
    else ranges.push([number, number])
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}–${to}`)).join(', ')
}

function withUnit(value: number, unit: Unit): string {
  if (unit === 'times') return `${round(value)}×`
  if (unit === 'times faster') return `${round(value)}× faster`
  return `${round(value)} ${unit}`
}

/** Three significant digits, thousands separated: a reader compares magnitudes. */
function round(value: number): string {
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US')
  if (Math.abs(value) >= 100) return value.toFixed(0)
  if (Math.abs(value) >= 10) return value.toFixed(1)
  return Math.abs(value) >= 0.1 ? value.toFixed(2) : String(Number(value.toPrecision(2)))
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').trim()
}
