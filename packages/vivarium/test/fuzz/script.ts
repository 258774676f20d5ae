import fc from 'fast-check'
import type { Message } from './messages.ts'
import { copyIns, parameterized, queryText, statement } from './sql-atoms.ts'

/** What happens next, on the connection with this number unless another one is inside a transaction. */
export type Step =
  | { readonly do: 'send'; readonly on: number; readonly messages: readonly Message[] }
  | {
      readonly do: 'copyIn'
      readonly on: number
      readonly text: string
      /** A simple Query, or the extended protocol with Flush before the data, or with its Sync sent ahead. */
      readonly by: 'query' | 'flush' | 'sync'
      readonly data: readonly Message[]
      /** What ends the COPY; without it the client vanishes. */
      readonly end: Message | undefined
    }
  | { readonly do: 'leave'; readonly on: number; readonly how: 'terminate' | 'vanish' }
  /** The sandbox is closed and another one opened; the connections stay. */
  | { readonly do: 'next sandbox' }

/** A script for one to three connections. */
export interface FuzzScript {
  readonly connections: number
  readonly steps: readonly Step[]
}

const statementName = fc.constantFrom('', 's1', 's2')
const portalName = fc.constantFrom('', 'p1')
const limit = fc.constantFrom(0, 0, 0, 1, 2)
const values = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(['1', '2'], ['3', '1'], ['4', null], ['2', '2']) },
  { weight: 1, arbitrary: fc.constantFrom(['x', 'y'], [null, null]) },
)
const text = fc.oneof({ weight: 3, arbitrary: statement }, { weight: 1, arbitrary: parameterized })

/** Parse, Bind, Describe, Execute as drivers send them. */
const run: fc.Arbitrary<Message[]> = fc
  .record({ text, name: statementName, portal: portalName, values, limit, described: fc.boolean() })
  .map(({ text, name, portal, values, limit, described }) => [
    { kind: 'parse', name, text },
    { kind: 'bind', portal, statement: name, values },
    ...(described ? [{ kind: 'describe', what: 'portal', name: portal } as const] : []),
    { kind: 'execute', portal, limit },
  ])

const runNamed: fc.Arbitrary<Message[]> = fc
  .record({ name: statementName, portal: portalName, values, limit, binary: fc.boolean() })
  .map(({ name, portal, values, limit, binary }) => [
    { kind: 'bind', portal, statement: name, values, binary },
    { kind: 'execute', portal, limit },
  ])

const single: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ kind: fc.constant('parse' as const), name: statementName, text }),
  fc.record({
    kind: fc.constant('bind' as const),
    portal: portalName,
    statement: statementName,
    values,
    all: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('describe' as const),
    what: fc.constantFrom('statement' as const, 'portal' as const),
    name: fc.constantFrom('', 's1', 'p1'),
  }),
  fc.record({ kind: fc.constant('execute' as const), portal: portalName, limit }),
  fc.record({
    kind: fc.constant('close' as const),
    what: fc.constantFrom('statement' as const, 'portal' as const),
    name: fc.constantFrom('', 's1', 'p1'),
  }),
  // int4pl, int4div, text upper, and none.
  fc.constantFrom<Message>(
    { kind: 'functionCall', oid: 177, values: ['1', '2'] },
    { kind: 'functionCall', oid: 154, values: ['1', '0'] },
    { kind: 'functionCall', oid: 871, values: ['x'] },
    { kind: 'functionCall', oid: 1, values: [] },
  ),
  fc.constant<Message>({ kind: 'flush' }),
  fc.constantFrom<Message>(
    { kind: 'copyData', data: '1\tx\n' },
    { kind: 'copyDone' },
    { kind: 'copyFail', reason: 'no copy' },
  ),
)

const simple: fc.Arbitrary<Message[]> = queryText.map((text) => [{ kind: 'query', text }])
const syncs: fc.Arbitrary<Message[]> = fc.constant([{ kind: 'sync' }])

const extendedStep = fc
  .record({
    parts: fc.array(
      fc.oneof(
        { weight: 5, arbitrary: run },
        { weight: 3, arbitrary: runNamed },
        { weight: 4, arbitrary: single.map((message) => [message]) },
        { weight: 2, arbitrary: syncs },
        { weight: 1, arbitrary: simple },
      ),
      { minLength: 1, maxLength: 4 },
    ),
    end: fc.oneof(
      { weight: 12, arbitrary: fc.constant<Message[]>([{ kind: 'sync' }]) },
      { weight: 6, arbitrary: fc.constant<Message[]>([{ kind: 'flush' }]) },
      { weight: 3, arbitrary: fc.constant<Message[]>([]) },
      { weight: 1, arbitrary: fc.constant<Message[]>([{ kind: 'terminate' }]) },
    ),
  })
  .map(({ parts, end }) => [...parts.flat(), ...end])

const messages = fc.oneof(
  { weight: 5, arbitrary: simple },
  { weight: 5, arbitrary: extendedStep },
  { weight: 1, arbitrary: fc.array(simple, { minLength: 2, maxLength: 3 }).map((parts) => parts.flat()) },
)

const copyMessages = fc
  .array(
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.constantFrom('3\tc\n', '4\td\n', '1\tagain\n', '5', '\n', 'x\ty\n').map<Message>((data) => ({
          kind: 'copyData',
          data,
        })),
      },
      { weight: 1, arbitrary: fc.constantFrom<Message>({ kind: 'flush' }, { kind: 'sync' }) },
    ),
    { maxLength: 3 },
  )
  // Behind data that the server has refused they would be no part of the COPY any more: which comes first is a race.
  .map((sent) => sent.toSorted((a, b) => Number(a.kind === 'copyData') - Number(b.kind === 'copyData')))

/** What may come next on a connection. */
const step: fc.Arbitrary<Step> = fc.nat({ max: 2 }).chain((on) =>
  fc.oneof(
    { weight: 30, arbitrary: messages.map((sent) => ({ do: 'send' as const, on, messages: sent })) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('copyIn' as const),
        on: fc.constant(on),
        text: copyIns,
        by: fc.constantFrom('query' as const, 'flush' as const, 'sync' as const),
        data: copyMessages,
        end: fc.constantFrom<Message | undefined>(
          { kind: 'copyDone' },
          { kind: 'copyDone' },
          undefined,
          { kind: 'copyFail', reason: 'no more' },
          { kind: 'query', text: 'select 1' },
          { kind: 'functionCall', oid: 177, values: ['1', '2'] },
          { kind: 'terminate' },
          ...breakers,
        ),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('leave' as const),
        on: fc.constant(on),
        how: fc.constantFrom('terminate' as const, 'vanish' as const, 'vanish' as const),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ do: 'next sandbox' as const }) },
  ),
)

/** Extended messages where COPY data belongs. */
const breakers: readonly Message[] = [
  { kind: 'parse', name: '', text: 'select 1' },
  { kind: 'bind', portal: '', statement: '', values: [] },
  { kind: 'describe', what: 'portal', name: '' },
  { kind: 'execute', portal: '', limit: 0 },
  { kind: 'close', what: 'portal', name: '' },
]

/** Any script. */
export const fuzzScript: fc.Arbitrary<FuzzScript> = fc.record({
  connections: fc.constantFrom(1, 1, 1, 2, 3),
  steps: fc.array(step, { minLength: 1, maxLength: 24, size: 'max' }),
})
