import { count } from './count.ts'
import type { Interaction, ObservedCommand, ObservedQuery, ObservedRequest } from './interactions.ts'
import { printCall, printShort } from './print-value.ts'

/** One interaction in words, for a list of them. */
export interface DescribedInteraction {
  /** What it is: a word. */
  readonly kind: 'query' | 'command' | 'call' | 'mail' | 'request' | 'message'
  /** What crossed, on one line, as long as it is. */
  readonly text: string
  /** What came of it, and how long it took; empty where there is nothing to say. */
  readonly outcome: string
}

/** How interactions are listed. */
export interface ListInteractionsOptions {
  /** How many lines at most; of the others it is said how many there were. @default 10 */
  readonly most?: number
  /** Milliseconds at which the clock of the list starts, since the sandbox opened. @default 0 */
  readonly from?: number
  /** The width of a line. @default 80 */
  readonly columns?: number
}

/** One interaction, in words. */
export function describeInteraction(interaction: Interaction): DescribedInteraction {
  switch (interaction.component) {
    case 'postgres':
      return { kind: 'query', text: onOneLine(interaction.text), outcome: outcomeOfQuery(interaction) }
    case 'redis':
      return {
        kind: 'command',
        text: [interaction.command, ...interaction.args.map(onOneLine)].join(' '),
        outcome: outcomeOfCommand(interaction),
      }
    case 'mock': {
      const { mock, fn, args, outcome, durationMs } = interaction
      return { kind: 'call', text: printCall(`${mock}.${fn}`, args, Infinity), outcome: said(outcome, durationMs) }
    }
    case 'mail': {
      const { subject, envelope } = interaction
      return { kind: 'mail', text: `${printShort(subject, 40)} to ${envelope.to.join(', ')}`, outcome: '' }
    }
    case 'http':
      return {
        kind: 'request',
        text: `${interaction.method} ${interaction.url}`,
        outcome: outcomeOfRequest(interaction),
      }
    case 'pubsub': {
      const { topic, text, payload } = interaction
      return {
        kind: 'message',
        text: `${topic}: ${text === undefined ? printShort(payload, 200) : onOneLine(text)}`,
        outcome: '',
      }
    }
  }
}

/**
 * Interactions in order, a line for each, in columns: when, what kind, what, its outcome. One that comes again and again is one line, with how
 * often; of a long list the last lines are shown, and the others counted.
 */
export function listInteractions(
  interactions: readonly Interaction[],
  { most = 10, from = 0, columns = 80 }: ListInteractionsOptions = {},
): readonly string[] {
  const runs = runsOf(interactions)
  const shown = runs.slice(-most)
  const hidden = runs.slice(0, runs.length - shown.length)
  const width = (cells: readonly string[]): number => Math.max(0, ...cells.map(({ length }) => length))
  const moments = shown.map(({ at }) => `+${Math.max(0, Math.round(at - from))} ms`)
  const whenWidth = width(moments)
  const kindWidth = width(shown.map(({ kind }) => kind))
  const lines = shown.map(({ kind, text, outcome, times }, index) => {
    const head = `${moments[index]!.padStart(whenWidth)}  ${kind.padEnd(kindWidth)}  `
    const end = [times > 1 ? `×${times}` : '', outcome].filter((word) => word !== '').join('  ')
    const room = Math.max(8, columns - head.length - (end === '' ? 0 : end.length + 2))
    const short = text.length <= room ? text : `${text.slice(0, room - 1)}…`
    return end === '' ? head + short : `${head}${short}  ${end}`
  })
  return hidden.length === 0 ? lines : [`… before these: ${countKinds(hidden)}`, ...lines]
}

/** Interactions of the same words, one after the other. */
interface Run extends DescribedInteraction {
  readonly at: number
  readonly times: number
}

function runsOf(interactions: readonly Interaction[]): readonly Run[] {
  const runs: Run[] = []
  for (const interaction of interactions) {
    const described = describeInteraction(interaction)
    const last = runs.at(-1)
    const isSame = last?.kind === described.kind && last.text === described.text
    const times = isSame ? last.times + 1 : 1
    // The last of them is what is told of.
    runs.splice(isSame ? -1 : runs.length, 1, { ...described, at: interaction.at, times })
  }
  return runs
}

function countKinds(runs: readonly Run[]): string {
  const counts = new Map<DescribedInteraction['kind'], number>()
  for (const run of runs) counts.set(run.kind, (counts.get(run.kind) ?? 0) + run.times)
  return [...counts].map(([kind, number]) => count(number, kind, kind === 'query' ? 'queries' : undefined)).join(', ')
}

function outcomeOfQuery({ error, rowCount, durationMs }: ObservedQuery): string {
  const rows = rowCount === undefined ? '' : count(rowCount, 'row')
  return said(error === undefined ? rows : `failed: ${error.code}`, durationMs)
}

function outcomeOfCommand({ error, effect, hits, misses, durationMs }: ObservedCommand): string {
  if (error !== undefined) return said(`failed: ${error.split(' ')[0]}`, durationMs)
  if (effect !== 'read' || hits.length + misses.length === 0) return said('', durationMs)
  return said(
    misses.length === 0 ? 'hit' : hits.length === 0 ? 'miss' : `${hits.length} of ${hits.length + misses.length}`,
    durationMs,
  )
}

function outcomeOfRequest({ status, error, durationMs }: ObservedRequest): string {
  if (error !== undefined) return said(error, durationMs)
  return said(status === undefined ? 'pending' : String(status), durationMs)
}

function said(outcome: string, durationMs: number | undefined): string {
  const time = durationMs === undefined ? '' : `${Math.round(durationMs)} ms`
  return [outcome, time].filter((word) => word !== '').join(', ')
}

/** A text on one line, its spacing made single spaces. */
export function onOneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ')
}
