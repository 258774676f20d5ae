import { expect, test } from 'vitest'
import { nextTurn } from '../../core/clock.ts'
import { CloneStock } from './clone-stock.ts'

/** A stock of numbers whose making the test ends by hand. */
function openNumbers({ most = 2, idleMs = 60_000 } = {}) {
  const making: { isAwaited(): boolean; end(result?: Error | 'not now'): Promise<void> }[] = []
  const discarded: number[] = []
  const unusable = new Set<number>()
  let discarding = (): void => undefined
  let made = 0
  const stock = new CloneStock<number>({
    make: (isAwaited) =>
      new Promise((resolve, reject) => {
        making.push({
          isAwaited,
          end: async (result) => {
            if (result instanceof Error) reject(result)
            else resolve(result === 'not now' ? undefined : ++made)
            await nextTurn()
          },
        })
      }),
    discard: (item) => {
      discarded.push(item)
      discarding()
    },
    isUsable: (item) => !unusable.has(item),
    most,
    idleMs,
  })
  const nextMaking = () => {
    const next = making.shift()
    if (next === undefined) throw new Error('nothing is being made')
    return next
  }
  const nextDiscard = () => new Promise<void>((resolve) => (discarding = resolve))
  return { stock, making, discarded, unusable, nextMaking, nextDiscard, take: () => stock.take({ abandoned: false }) }
}

test('nothing is made before somebody asks; then one for him, and one ahead when he has his', async () => {
  const { take, making, nextMaking, stock } = openNumbers()
  expect(making).toEqual([])
  const first = take()
  expect(making).toHaveLength(1)
  expect(making[0]?.isAwaited()).toBe(true)
  await nextMaking().end()
  expect(await first).toBe(1)
  expect(making).toHaveLength(1)
  expect(making[0]?.isAwaited()).toBe(false)
  await nextMaking().end()
  expect(stock.size).toBe(1)
  expect(making).toEqual([])
})

test('each wait lets one more be ready, up to the bound', async () => {
  const { take, making, nextMaking, stock } = openNumbers()
  const all = [take(), take(), take()]
  expect(making).toHaveLength(3)
  for (let left = 3; left > 0; left--) await nextMaking().end()
  expect(await Promise.all(all)).toEqual([1, 2, 3])
  expect(making).toHaveLength(2)
  await nextMaking().end()
  await nextMaking().end()
  expect(stock.size).toBe(2)
  expect(making).toEqual([])
  expect(await take()).toBe(4)
  expect(making).toHaveLength(1)
})

test('what is being made ahead goes to the first who comes', async () => {
  const { take, making, nextMaking } = openNumbers()
  const first = take()
  await nextMaking().end()
  await first
  const [second, third] = [take(), take()]
  expect(making).toHaveLength(2)
  expect(making[0]?.isAwaited()).toBe(true)
  await nextMaking().end()
  expect(await second).toBe(2)
  await nextMaking().end()
  expect(await third).toBe(3)
})

test('what could not be made ahead is made when somebody comes', async () => {
  const { take, making, nextMaking } = openNumbers({ most: 1 })
  const first = take()
  await nextMaking().end()
  await first
  await nextMaking().end('not now')
  expect(making).toEqual([])
  const second = take()
  await nextMaking().end()
  expect(await second).toBe(2)
  const ahead = nextMaking()
  const third = take()
  await ahead.end('not now')
  await nextMaking().end()
  expect(await third).toBe(3)
})

test('a failure is told to one who waits, not to the next', async () => {
  const { take, nextMaking } = openNumbers()
  const [first, second] = [take(), take()]
  const refused = first.catch((error: unknown) => error)
  await nextMaking().end(new Error('no space'))
  expect(await refused).toMatchObject({ message: 'no space' })
  await nextMaking().end()
  expect(await second).toBe(1)
  await nextMaking().end(new Error('nobody hears this'))
  const third = take()
  await nextMaking().end()
  expect(await third).toBe(2)
})

test('what was begun ahead and fails does not fail one who came later: another is made for him', async () => {
  const { take, nextMaking } = openNumbers()
  const first = take()
  await nextMaking().end()
  await first
  const ahead = nextMaking()
  const late = take()
  await ahead.end(new Error('lost meanwhile'))
  await nextMaking().end()
  expect(await late).toBe(2)
})

test('what comes after its taker gave up is for the next one', async () => {
  const { take, nextMaking, stock } = openNumbers()
  const request = { abandoned: false }
  const given = stock.take(request).catch((error: unknown) => error)
  const making = nextMaking()
  expect(making.isAwaited()).toBe(true)
  request.abandoned = true
  expect(making.isAwaited()).toBe(false)
  await making.end()
  expect(await given).toMatchObject({ message: 'the request was given up' })
  expect(await take()).toBe(1)
})

test('one less is ready each time nobody came for a while, until none is', async () => {
  const { take, nextMaking, stock, discarded, nextDiscard, making } = openNumbers({ idleMs: 20 })
  const both = [take(), take()]
  for (let left = 4; left > 0; left--) await nextMaking().end()
  await Promise.all(both)
  expect(stock.size).toBe(2)
  await nextDiscard()
  expect(discarded).toEqual([3])
  await nextDiscard()
  expect(discarded).toEqual([3, 4])
  expect(stock.size).toBe(0)
  expect(making).toEqual([])
})

test('what was made ahead for so long that nobody comes any more goes, too', async () => {
  const { take, nextMaking, stock, discarded, nextDiscard } = openNumbers({ idleMs: 5 })
  const both = [take(), take()]
  for (let left = 3; left > 0; left--) await nextMaking().end()
  await Promise.all(both)
  if (stock.size > 0) await nextDiscard()
  expect(discarded).toEqual([3])
  const second = nextDiscard()
  await nextMaking().end()
  await second
  expect(discarded).toEqual([3, 4])
})

test('what went bad in the meantime is not handed out', async () => {
  const { take, nextMaking, unusable } = openNumbers()
  const first = take()
  await nextMaking().end()
  await first
  await nextMaking().end()
  unusable.add(2)
  const second = take()
  await nextMaking().end()
  expect(await second).toBe(3)
})

test('closing refuses those who wait and those who come, and discards what is still being made', async () => {
  const { take, nextMaking, stock, discarded } = openNumbers()
  const refused = take().catch((error: unknown) => error)
  expect(stock.close(new Error('closed'))).toEqual([])
  expect(await refused).toMatchObject({ message: 'closed' })
  await expect(take()).rejects.toThrow('closed')
  await nextMaking().end()
  expect(discarded).toEqual([1])
  stock.put(7)
  expect(discarded).toEqual([1, 7])
})

test('closing returns what is ready', async () => {
  const { take, nextMaking, stock, discarded } = openNumbers()
  const first = take()
  await nextMaking().end()
  await first
  await nextMaking().end()
  expect(stock.close(new Error('closed'))).toEqual([2])
  expect(discarded).toEqual([])
})
