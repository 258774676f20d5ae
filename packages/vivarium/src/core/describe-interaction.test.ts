import { expect, test } from 'vitest'
import { describeInteraction, listInteractions } from './describe-interaction.ts'
import type {
  Interaction,
  ObservedCall,
  ObservedCommand,
  ObservedMail,
  ObservedMessage,
  ObservedQuery,
  ObservedRequest,
} from './interactions.ts'

const query: ObservedQuery = {
  component: 'postgres',
  text: 'insert into orders (user_id)\n  values ($1)',
  params: ['1'],
  command: 'INSERT',
  rowCount: 1,
  durationMs: 2.6,
  error: undefined,
  connection: 1,
  transaction: 1,
  at: 5,
}

const command: ObservedCommand = {
  component: 'redis',
  command: 'GET',
  args: ['user:1'],
  keys: ['user:1'],
  effect: 'read',
  hits: ['user:1'],
  misses: [],
  ttlMs: undefined,
  durationMs: 0.3,
  error: undefined,
  connection: 1,
  transaction: undefined,
  at: 7,
}

const call: ObservedCall = {
  component: 'mock',
  mock: 'PaymentGateway',
  fn: 'charge',
  args: [{ amountCents: 10_000 }],
  outcome: 'returned',
  value: undefined,
  durationMs: 1,
  at: 9,
}

const mail = {
  component: 'mail',
  subject: 'Welcome',
  envelope: { from: 'shop@example.com', to: ['ada@example.com'] },
  at: 12,
} as unknown as ObservedMail

const request: ObservedRequest = {
  component: 'http',
  service: 'Stripe',
  method: 'POST',
  url: 'https://api.stripe.com/v1/charges',
  headers: {},
  body: undefined,
  status: 200,
  responseBody: undefined,
  durationMs: 12,
  error: undefined,
  at: 105,
}

const message: ObservedMessage = {
  component: 'pubsub',
  inbox: 'i',
  source: 's',
  topic: 'notifications:1',
  payload: { title: 'Paid' },
  text: '{ "title": "Paid" }',
  id: undefined,
  at: 1203,
}

const all: readonly Interaction[] = [query, command, call, mail, request, message]

test('every kind of interaction is one line, with what came of it', () => {
  expect(listInteractions(all)).toEqual([
    '   +5 ms  query    insert into orders (user_id) values ($1)  1 row, 3 ms',
    '   +7 ms  command  GET user:1  hit, 0 ms',
    '   +9 ms  call     PaymentGateway.charge({ amountCents: 10000 })  returned, 1 ms',
    "  +12 ms  mail     'Welcome' to ada@example.com",
    ' +105 ms  request  POST https://api.stripe.com/v1/charges  200, 12 ms',
    '+1203 ms  message  notifications:1: { "title": "Paid" }',
  ])
})

test.each<[string, Interaction, string]>([
  ['a query that failed', { ...query, error: { code: '23505', message: 'duplicate' } }, 'failed: 23505, 3 ms'],
  ['a query without a count', { ...query, rowCount: undefined }, '3 ms'],
  ['a miss', { ...command, hits: [], misses: ['user:1'] }, 'miss, 0 ms'],
  ['a read of several keys', { ...command, hits: ['a', 'b'], misses: ['c'] }, '2 of 3, 0 ms'],
  ['a command that failed', { ...command, error: 'WRONGTYPE Operation against' }, 'failed: WRONGTYPE, 0 ms'],
  ['a call that has not ended', { ...call, outcome: 'pending', durationMs: undefined }, 'pending'],
  ['a request that was reset', { ...request, status: undefined, error: 'reset' }, 'reset, 12 ms'],
  ['a request under way', { ...request, status: undefined, durationMs: undefined }, 'pending'],
])('%s is told by its outcome', (_, interaction, outcome) => {
  expect(describeInteraction(interaction).outcome).toBe(outcome)
})

test('a value that never was a text is printed', () => {
  expect(describeInteraction({ ...message, text: undefined }).text).toBe("notifications:1: { title: 'Paid' }")
})

test('no line is wider than it may be, and what came of it stays', () => {
  const long = { ...query, text: `select ${'a, '.repeat(60)}b` }
  const lines = listInteractions([long, ...all], { columns: 50 })
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(50)
  expect(lines[0]).toMatch(/^ +\+5 ms {2}query {4}select a, a,.*… {2}1 row, 3 ms$/)
})

test('one that comes again and again is one line, with how often', () => {
  expect(listInteractions([query, query, { ...query, at: 40 }, command], { from: 5 })).toEqual([
    '+35 ms  query    insert into orders (user_id) values ($1)  ×3  1 row, 3 ms',
    ' +2 ms  command  GET user:1  hit, 0 ms',
  ])
})

test('of a long list the last lines are shown, and the others counted', () => {
  const many = Array.from({ length: 5 }, (_, index) => ({ ...query, text: `select ${index}` }))
  expect(listInteractions([...many, command, request], { most: 1 })).toEqual([
    '… before these: 5 queries, 1 command',
    '+105 ms  request  POST https://api.stripe.com/v1/charges  200, 12 ms',
  ])
})
