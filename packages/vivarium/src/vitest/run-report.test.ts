import { expect, test } from 'vitest'
import { reportRun, type ReportedTest } from './run-report.ts'

const warning = {
  component: 'postgres',
  kind: 'listen-delivery',
  message: 'NOTIFY is not delivered',
  text: 'listen\n  orders',
}

const quiet: ReportedTest['notes'] = {
  isolation: 'transaction',
  sandboxes: 1,
  statements: 1,
  fidelityWarnings: [],
  closeFailures: [],
}

function reported(name: string, notes: Partial<ReportedTest['notes']>, passed = true): ReportedTest {
  return { name, passed, notes: { ...quiet, ...notes } }
}

test('a run with nothing to say says nothing', () => {
  expect(reportRun([reported('a', {}), reported('b', {}, false)])).toEqual([])
})

test('a fidelity warning is printed once, with the tests it came from', () => {
  const tests = ['a', 'b', 'c', 'd'].map((name) => reported(name, { fidelityWarnings: [warning] }))
  expect(reportRun(tests)).toEqual([
    'Vivarium: 1 fidelity warning (this would behave differently in production)',
    '  postgres/listen-delivery: NOTIFY is not delivered',
    '    statement: listen orders',
    '    in a',
    '    in b',
    '    in c',
    '    and 1 more test',
  ])
})

test('what a retry hid is printed; what failed the test is not printed again', () => {
  const broke = { closeFailures: ['transaction left open\n  What to do: …'] }
  expect(reportRun([reported('flaky', broke), reported('failed', broke, false)])).toEqual([
    'Vivarium: 1 test broke a promise of the sandbox, and a retry hid it',
    '  flaky',
    '    transaction left open\n      What to do: …',
  ])
})
