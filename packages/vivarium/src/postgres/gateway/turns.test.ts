import { afterEach, expect, test, vi } from 'vitest'
import { Turns } from './turns.ts'
import type { TurnTaker } from './turns.ts'

// Before the modules load: the clock keeps the timers it finds then.
vi.hoisted(() => vi.useFakeTimers())

const said: string[] = []
let isBusy = false

function taker(name: string): TurnTaker & { name: string } {
  return {
    name,
    granted: () => said.push(`${name} granted`),
    expired: (holder) => said.push(`${name} expired, held by ${(holder as { name?: string }).name}`),
  }
}

const [one, two, three] = [taker('one'), taker('two'), taker('three')]

function open(waitMs = 100): Turns {
  return new Turns(waitMs, () => isBusy)
}

afterEach(() => {
  said.length = 0
  isBusy = false
  vi.clearAllTimers()
})

test('the first has the session at once, and keeps it when it asks again', () => {
  const turns = open()
  expect([turns.request(one), turns.request(one)]).toEqual([true, true])
  expect(turns.holder).toBe(one)
  expect(turns.waiting).toEqual([])
})

test('the others have it in the order in which they asked', () => {
  const turns = open()
  turns.request(one)
  expect([turns.request(two), turns.request(three)]).toEqual([false, false])
  turns.release(one)
  turns.release(two)
  turns.release(three)
  expect(said).toEqual(['two granted', 'three granted'])
  expect(turns.holder).toBeUndefined()
})

test('one that gave up waiting is passed over', () => {
  const turns = open()
  for (const each of [one, two, three]) turns.request(each)
  turns.release(two)
  turns.release(one)
  expect(said).toEqual(['three granted'])
})

test('a release by one that does not hold it changes nothing', () => {
  const turns = open()
  turns.request(one)
  turns.release(two)
  expect(turns.holder).toBe(one)
  expect(said).toEqual([])
})

test('waiting for a holder that does nothing ends at the deadline, and the error names the holder', () => {
  const turns = open(100)
  turns.request(one)
  turns.request(two)
  vi.advanceTimersByTime(90)
  expect(said).toEqual([])
  vi.advanceTimersByTime(30)
  expect(said).toEqual(['two expired, held by one'])
  expect(turns.waiting).toEqual([])
  turns.release(one)
  expect(said).toHaveLength(1)
})

test('a long statement of the holder is waited for, however long: only its idle time counts', () => {
  const turns = open(100)
  turns.request(one)
  turns.request(two)
  isBusy = true
  vi.advanceTimersByTime(60_000)
  expect(said).toEqual([])
  isBusy = false
  vi.advanceTimersByTime(60)
  isBusy = true
  vi.advanceTimersByTime(60_000)
  expect(said).toEqual([])
  isBusy = false
  vi.advanceTimersByTime(60)
  expect(said).toEqual(['two expired, held by one'])
})

test('each waits its own time', () => {
  const turns = open(100)
  turns.request(one)
  turns.request(two)
  vi.advanceTimersByTime(60)
  turns.request(three)
  vi.advanceTimersByTime(60)
  expect(said).toEqual(['two expired, held by one'])
  vi.advanceTimersByTime(60)
  expect(said).toEqual(['two expired, held by one', 'three expired, held by one'])
})

test('without a waiter no timer runs', () => {
  const turns = open()
  turns.request(one)
  turns.request(two)
  turns.release(one)
  vi.advanceTimersByTime(60)
  expect(vi.getTimerCount()).toBe(0)
})
