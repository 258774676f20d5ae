import { count } from '../core/count.ts'
import type { FidelityWarning } from '../core/interactions.ts'
import type { TestNotes } from './notes.ts'

/** One test as the report names it, with what was seen in it. */
export interface ReportedTest {
  readonly name: string
  readonly passed: boolean
  readonly notes: TestNotes
}

const shownTests = 3

/**
 * What is worth saying at the end of a run, as lines of text: each fidelity warning once with the tests it came from, and
 * what a retry hid. Empty when there is nothing.
 */
export function reportRun(tests: readonly ReportedTest[]): readonly string[] {
  return [...reportWarnings(tests), ...reportHidden(tests)]
}

function reportWarnings(tests: readonly ReportedTest[]): readonly string[] {
  const groups = new Map<string, { warning: FidelityWarning; names: Set<string> }>()
  for (const { name, notes } of tests) {
    for (const warning of notes.fidelityWarnings) {
      const key = `${warning.component}\n${warning.kind}\n${warning.message}`
      const group = groups.get(key) ?? { warning, names: new Set() }
      groups.set(key, group)
      group.names.add(name)
    }
  }
  if (groups.size === 0) return []
  const lines = [`Vivarium: ${count(groups.size, 'fidelity warning')} (this would behave differently in production)`]
  for (const { warning, names } of groups.values()) {
    lines.push(`  ${warning.component}/${warning.kind}: ${warning.message.replaceAll('\n', '\n  ')}`)
    if (warning.text !== undefined) lines.push(`    statement: ${warning.text.trim().replaceAll(/\s+/g, ' ')}`)
    for (const name of [...names].slice(0, shownTests)) lines.push(`    in ${name}`)
    if (names.size > shownTests) lines.push(`    and ${count(names.size - shownTests, 'more test')}`)
  }
  return lines
}

function reportHidden(tests: readonly ReportedTest[]): readonly string[] {
  const hidden = tests.filter(({ passed, notes }) => passed && notes.closeFailures.length > 0)
  if (hidden.length === 0) return []
  const lines = [`Vivarium: ${count(hidden.length, 'test')} broke a promise of the sandbox, and a retry hid it`]
  for (const { name, notes } of hidden) {
    lines.push(`  ${name}`, ...notes.closeFailures.map((message) => `    ${message.replaceAll('\n', '\n    ')}`))
  }
  return lines
}
