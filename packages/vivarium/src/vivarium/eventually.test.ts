import { expect, expectTypeOf, test, vi } from 'vitest'
import { useSandboxes } from '../../test/support/sandboxes.ts'
import type { ObservedQuery } from '../core/interactions.ts'
import { eventually } from './eventually.ts'

const sandboxes = await useSandboxes()

/** What a condition that is not met is told of, without what differs from run to run. */
async function failureOf(waiting: Promise<unknown>): Promise<string> {
  const error = await waiting.then(
    () => new Error('it was met'),
    (caught: unknown) => caught as Error,
  )
  return error.message
    .replaceAll(/\d+ attempts?/g, 'N attempts')
    .replaceAll(/did not end in \d+ ms/g, 'did not end in N ms')
}

function query(text: string, at: number): ObservedQuery {
  const told = {
    command: 'SELECT',
    rowCount: 1,
    durationMs: 2,
    error: undefined,
    connection: 1,
    transaction: undefined,
  }
  return { component: 'postgres', text, params: [], ...told, at }
}

test('it resolves to the first value that is not false, in the first attempt or a later one', async () => {
  expect(await eventually(() => 0)).toBe(0)
  expect(await eventually(async () => undefined)).toBe(undefined)
  let attempts = 0
  expect(await eventually(() => ++attempts === 3 && 'third')).toBe('third')
  expect(attempts).toBe(3)
})

test('what is thrown is tried again, and the last of it is told', async () => {
  let attempts = 0
  const found = await eventually(() => {
    expect(++attempts).toBe(4)
    return 'found'
  })
  expect(found).toBe('found')
  const never = eventually(() => expect({ status: 'new' }).toEqual({ status: 'sent' }), { within: 20 })
  await expect(never).rejects.toMatchObject({ code: 'CONDITION_NOT_MET', cause: { name: 'AssertionError' } })
  const mistake = eventually(
    () => {
      throw new RangeError('no row yet')
    },
    { within: 10 },
  )
  expect(await failureOf(mistake)).toMatchInlineSnapshot(`
    "The condition was not met within 10 ms: N attempts.
    The last one threw:
      RangeError: no row yet
      What to do: Look what did not happen; or give it longer: \`eventually(…, { within: 5000 })\`.
      (CONDITION_NOT_MET)"
  `)
})

test('`until` says which value is awaited; the last one is told', async () => {
  let value = 0
  expect(await eventually(() => ++value, { until: (one) => one > 2 })).toBe(3)
  const never = eventually(() => ({ status: 'new' }), { until: ({ status }) => status === 'sent', within: 10 })
  expect(await failureOf(never)).toMatchInlineSnapshot(`
    "The condition was not met within 10 ms: N attempts.
    The last one returned:
      { status: 'new' }
      What to do: Look what did not happen; or give it longer: \`eventually(…, { within: 5000 })\`.
      (CONDITION_NOT_MET)"
  `)
})

test('an attempt that does not end is ended by the deadline, and told', async () => {
  let attempts = 0
  const hanging = eventually(() => (++attempts < 2 ? false : new Promise<boolean>(() => undefined)), { within: 30 })
  expect(await failureOf(hanging)).toMatchInlineSnapshot(`
    "The condition was not met within 30 ms: attempt 2 did not end in N ms.
    The one before it returned:
      false
      What to do: Look what did not happen; or give it longer: \`eventually(…, { within: 5000 })\`.
      (CONDITION_NOT_MET)"
  `)
})

test('pauses grow from 1 ms to the longest', async () => {
  let attempts = 0
  await failureOf(eventually(() => ++attempts < 0, { within: 300, longestPauseMs: 40 }))
  // Without growing there would be some 250; a busy machine makes fewer of them.
  expect(attempts).toBeLessThan(30)
})

test('faked timers do not stop it, and a blocked event loop does not use its time up', async () => {
  vi.useFakeTimers()
  let attempts = 0
  const met = await eventually(() => ++attempts === 3).finally(() => vi.useRealTimers())
  expect(met).toBe(true)
  let blocked = 0
  const late = eventually(
    () => {
      const until = performance.now() + 400
      if (blocked++ === 0) while (performance.now() < until);
      return blocked === 2
    },
    { within: 200 },
  )
  expect(await late).toBe(true)
})

test('what crossed between the application and its components meanwhile is told, and nothing of before', async () => {
  await sandboxes.pass(async ({ recorder }) => {
    recorder.record(query('select before', 0))
    const waiting = failureOf(
      eventually(() => recorder.record(query("select 'meanwhile'", 0)), { until: () => false, within: 10 }),
    )
    const words = (await waiting).replace(/×\d+/, '×N')
    expect(words).toContain("Meanwhile:\n  +0 ms  query  select 'meanwhile'  ×N  1 row, 2 ms")
    expect(words).not.toContain('before')
    const quiet = await failureOf(eventually(() => false, { within: 5 }))
    expect(quiet).toContain('Meanwhile nothing crossed between the application and its components.')
  })
  expect(await failureOf(eventually(() => false, { within: 5 }))).not.toContain('eanwhile')
})

test('options that it does not know, or cannot be, are refused', async () => {
  await expect(eventually(() => true, { within: -1 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  // @ts-expect-error no such option
  await expect(eventually(() => true, { timeout: 5 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

test('its type is that of the value, without false', () => {
  expectTypeOf(eventually(() => Math.random() > 2 && 'text')).resolves.toEqualTypeOf<'text'>()
  expectTypeOf(eventually(async () => 17)).resolves.toEqualTypeOf<number>()
})
