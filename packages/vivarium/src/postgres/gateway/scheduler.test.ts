import { beforeEach, expect, test } from 'vitest'
import { Scheduler } from './scheduler.ts'
import type { Activity, TurnTaker } from './scheduler.ts'

/** A clock that only goes when it is told to: the scheduler's one timer, and the time until it is due. */
class StillClock {
  #due: { ms: number; callback: () => void } | undefined

  get isRunning(): boolean {
    return this.#due !== undefined
  }

  readonly startTimer = (ms: number, callback: () => void): { cancel(): void } => {
    if (this.#due !== undefined) throw new Error('two timers at once')
    const due = { ms, callback }
    this.#due = due
    return { cancel: () => (this.#due = this.#due === due ? undefined : this.#due) }
  }

  pass(ms: number): void {
    let left = ms
    while (this.#due !== undefined && this.#due.ms <= left) {
      const { ms: passed, callback } = this.#due
      left -= passed
      this.#due = undefined
      callback()
    }
    if (this.#due !== undefined) this.#due.ms -= left
  }
}

class Taker implements TurnTaker {
  activity: Activity = 'idle'
  mayNest: boolean = true
  readonly name: string

  constructor(name: string) {
    this.name = name
  }

  granted(): void {
    said.push(`${this.name} granted`)
  }

  expired(blocker: TurnTaker, waitMs: number): void {
    said.push(`${this.name} expired after ${waitMs}, held by ${(blocker as Taker).name}`)
  }
}

let said: string[] = []
let clock = new StillClock()
let [one, two, three, four] = takers()

function takers(): [Taker, Taker, Taker, Taker] {
  return [new Taker('one'), new Taker('two'), new Taker('three'), new Taker('four')]
}

beforeEach(() => {
  said = []
  clock = new StillClock()
  ;[one, two, three, four] = takers()
})

function open(): Scheduler {
  return new Scheduler({ waitMs: 100, nestAfterMs: 20, startTimer: clock.startTimer })
}

function names(list: readonly TurnTaker[]): string[] {
  return list.map((taker) => (taker as Taker).name)
}

test('the first has the session at once, and keeps it when it asks again', () => {
  const scheduler = open()
  expect([scheduler.request(one), scheduler.request(one)]).toEqual([true, true])
  expect(scheduler.top).toBe(one)
  expect(scheduler.waiting).toEqual([])
})

test('the others have it in the order in which they asked', () => {
  const scheduler = open()
  scheduler.request(one)
  expect([scheduler.request(two), scheduler.request(three)]).toEqual([false, false])
  scheduler.release(one)
  scheduler.release(two)
  scheduler.release(three)
  expect(said).toEqual(['two granted', 'three granted'])
  expect(scheduler.top).toBeUndefined()
})

test('one that gave up waiting is passed over', () => {
  const scheduler = open()
  for (const each of [one, two, three]) scheduler.request(each)
  scheduler.withdraw(two)
  scheduler.release(one)
  expect(said).toEqual(['three granted'])
})

test('a release by one that does not hold it changes nothing', () => {
  const scheduler = open()
  scheduler.request(one)
  scheduler.release(two)
  expect(scheduler.top).toBe(one)
  expect(said).toEqual([])
})

test('when the holder has been idle for long enough, the first that waits runs inside of it', () => {
  const scheduler = open()
  for (const each of [one, two, three]) scheduler.request(each)
  clock.pass(19)
  expect(said).toEqual([])
  clock.pass(1)
  expect(said).toEqual(['two granted'])
  expect(names(scheduler.holders)).toEqual(['one', 'two'])
  expect(names(scheduler.waiting)).toEqual(['three'])
})

test('a holder that is busy, or in the middle of a unit, is not run inside of', () => {
  const scheduler = open()
  scheduler.request(one)
  scheduler.request(two)
  for (const activity of ['busy', 'stalled'] as const) {
    one.activity = activity
    clock.pass(90)
    expect(said).toEqual([])
  }
})

test('whatever the holder does begins its idle time anew', () => {
  const scheduler = open()
  scheduler.request(one)
  scheduler.request(two)
  clock.pass(15)
  scheduler.request(one)
  clock.pass(15)
  expect(said).toEqual([])
  clock.pass(10)
  expect(said).toEqual(['two granted'])
})

test('while the holder sends nothing, the next ones need not wait as long again', () => {
  const scheduler = open()
  for (const each of [one, two, three]) scheduler.request(each)
  clock.pass(20)
  scheduler.release(two)
  expect(said).toEqual(['two granted'])
  clock.pass(2)
  expect(said).toEqual(['two granted', 'three granted'])
})

test('once the holder has gone on, the next one waits as long as the first', () => {
  const scheduler = open()
  for (const each of [one, two, three]) scheduler.request(each)
  clock.pass(20)
  scheduler.release(two)
  scheduler.request(one)
  clock.pass(18)
  expect(said).toEqual(['two granted'])
  clock.pass(2)
  expect(said).toEqual(['two granted', 'three granted'])
})

test('a holder that wants to go on waits for the one inside of it, and comes before all that queue', () => {
  const scheduler = open()
  for (const each of [one, two, three]) scheduler.request(each)
  clock.pass(20)
  two.activity = 'busy'
  expect(scheduler.request(one)).toBe(false)
  clock.pass(60)
  scheduler.release(two)
  expect(said).toEqual(['two granted', 'one granted'])
  expect(names(scheduler.waiting)).toEqual(['three'])
  scheduler.release(one)
  expect(said.at(-1)).toBe('three granted')
})

test('one that is idle inside another may be run inside of itself', () => {
  const scheduler = open()
  for (const each of [one, two, three]) scheduler.request(each)
  clock.pass(20)
  clock.pass(20)
  expect(said).toEqual(['two granted', 'three granted'])
  expect(names(scheduler.holders)).toEqual(['one', 'two', 'three'])
})

test('two that wait for each other: the one that waits gives up, and keeps what it holds', () => {
  const scheduler = open()
  scheduler.request(one)
  scheduler.request(two)
  clock.pass(20)
  scheduler.request(one)
  clock.pass(99)
  expect(said).toEqual(['two granted'])
  clock.pass(1)
  expect(said).toEqual(['two granted', 'one expired after 100, held by two'])
  expect(names(scheduler.holders)).toEqual(['one', 'two'])
  scheduler.release(two)
  expect(scheduler.request(one)).toBe(true)
})

test('waiting for a holder that is stuck in the middle of a unit ends too', () => {
  const scheduler = open()
  one.activity = 'stalled'
  scheduler.request(one)
  scheduler.request(two)
  clock.pass(100)
  expect(said).toEqual(['two expired after 100, held by one'])
  expect(scheduler.waiting).toEqual([])
  expect(clock.isRunning).toBe(false)
})

test('a long statement is waited for, however long, and every sign of life begins the wait anew', () => {
  const scheduler = open()
  one.activity = 'stalled'
  scheduler.request(one)
  scheduler.request(two)
  clock.pass(90)
  one.activity = 'busy'
  clock.pass(60_000)
  one.activity = 'stalled'
  clock.pass(90)
  scheduler.stirred()
  clock.pass(90)
  expect(said).toEqual([])
  clock.pass(10)
  expect(said).toEqual(['two expired after 100, held by one'])
})

test('each waits its own time', () => {
  const scheduler = open()
  one.activity = 'stalled'
  scheduler.request(one)
  scheduler.request(two)
  clock.pass(60)
  scheduler.request(three)
  clock.pass(40)
  expect(said).toEqual(['two expired after 100, held by one'])
  clock.pass(60)
  expect(said).toEqual(['two expired after 100, held by one', 'three expired after 100, held by one'])
})

test('a holder that ends below another leaves its place only when that one has ended', () => {
  const scheduler = open()
  for (const each of [one, two, three]) scheduler.request(each)
  clock.pass(20)
  scheduler.release(one)
  expect(scheduler.top).toBe(two)
  expect(names(scheduler.holders)).toEqual(['two'])
  two.activity = 'busy'
  scheduler.release(two)
  expect(said).toEqual(['two granted', 'three granted'])
  expect(names(scheduler.holders)).toEqual(['three'])
})

test('a holder that wanted to go on and is gone is not told that it may', () => {
  const scheduler = open()
  for (const each of [one, two, three, four]) scheduler.request(each)
  clock.pass(40)
  scheduler.request(one)
  scheduler.request(two)
  scheduler.release(two)
  scheduler.release(three)
  expect(said).toEqual(['two granted', 'three granted', 'one granted'])
})

test('one that may not be nested waits for the end of all others', () => {
  const scheduler = open()
  two.mayNest = false
  for (const each of [one, two, three]) scheduler.request(each)
  clock.pass(20)
  expect(said).toEqual(['three granted'])
  scheduler.release(three)
  clock.pass(20)
  scheduler.release(one)
  expect(said).toEqual(['three granted', 'two granted'])
})

test('without one that waits no timer runs', () => {
  const scheduler = open()
  scheduler.request(one)
  expect(clock.isRunning).toBe(false)
  scheduler.request(two)
  scheduler.release(one)
  clock.pass(60)
  expect(clock.isRunning).toBe(false)
})
