import { expect, test } from 'vitest'
import { observedMail } from '../../test/support/mails.ts'
import { type ObservedQuery, Recorder } from '../core/interactions.ts'
import { watchRollbacks } from './rolled-back.ts'

/** A statement as both isolations record it: BEGIN outside of the transaction that it opens, its end inside. */
function query(text: string, command: string | undefined, transaction?: number, connection: number = 1): ObservedQuery {
  const error = command === undefined ? { code: '23503', message: 'no' } : undefined
  const rest = { params: [], rowCount: undefined, durationMs: 1, at: 1 }
  return { component: 'postgres', text, command, transaction, connection, error, ...rest }
}

/** Subjects of the mails that are warned of. */
function warned(...interactions: Parameters<Recorder['record']>[0][]): readonly string[] {
  const recorder = new Recorder()
  watchRollbacks(recorder)
  for (const interaction of interactions) recorder.record(interaction)
  return recorder.fidelityWarnings.map(({ kind, message }) => `${kind}: ${/'(.*?)'/.exec(message)?.[1]}`)
}

const begin = query('begin', 'BEGIN')
const mail = observedMail({ subject: 'Order shipped' })
const theWarning = ['mail-before-rollback: Order shipped']

test.each([
  ['ROLLBACK', [begin, mail, query('rollback', 'ROLLBACK', 1)]],
  [
    'a COMMIT of a failed transaction',
    [begin, query('select nix', undefined, 1), mail, query('commit', 'ROLLBACK', 1)],
  ],
  ['a COMMIT that a deferred constraint refuses', [begin, mail, query('COMMIT', undefined, 1)]],
  [
    'ABORT, after a savepoint was rolled back',
    [
      begin,
      query('savepoint a', 'SAVEPOINT', 1),
      mail,
      query('rollback to a', 'ROLLBACK', 1),
      query('abort', 'ROLLBACK', 1),
    ],
  ],
  ['ROLLBACK AND CHAIN', [begin, mail, query('/* x */ rollback and chain', 'ROLLBACK', 1)]],
  [
    'a chained transaction',
    [
      begin,
      query('commit and chain', 'COMMIT', 1),
      query('select 1', 'SELECT', 2),
      mail,
      query('rollback', 'ROLLBACK', 2),
    ],
  ],
  [
    'another connection',
    [
      begin,
      query('begin', 'BEGIN', undefined, 2),
      mail,
      query('commit', 'COMMIT', 1),
      query('rollback', 'ROLLBACK', 2, 2),
    ],
  ],
])('a mail before %s is warned of', (_, interactions) => {
  expect(warned(...interactions)).toEqual(theWarning)
})

test.each([
  ['COMMIT', [begin, mail, query('commit', 'COMMIT', 1)]],
  [
    'ROLLBACK TO SAVEPOINT and COMMIT',
    [
      begin,
      query('savepoint a', 'SAVEPOINT', 1),
      mail,
      query('rollback work to savepoint a', 'ROLLBACK', 1),
      query('commit', 'COMMIT', 1),
    ],
  ],
  [
    'the next transaction’s ROLLBACK',
    [begin, mail, query('commit', 'COMMIT', 1), begin, query('rollback', 'ROLLBACK', 2)],
  ],
  ['a ROLLBACK where no transaction is open', [mail, query('rollback', 'ROLLBACK')]],
])('a mail before %s is not', (_, interactions) => {
  expect(warned(...interactions)).toEqual([])
})

test('a mail after ROLLBACK is not warned of', () => {
  expect(warned(begin, query('rollback', 'ROLLBACK', 1), mail)).toEqual([])
})

test('a transaction that was open before the watch began counts', () => {
  const recorder = new Recorder()
  recorder.record(begin)
  recorder.record(query('insert', 'INSERT', 1))
  watchRollbacks(recorder)
  recorder.record(mail)
  recorder.record(query('rollback', 'ROLLBACK', 1))
  expect(recorder.fidelityWarnings).toHaveLength(1)
})
