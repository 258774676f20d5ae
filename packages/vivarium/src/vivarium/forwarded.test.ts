import { expect, test, vi } from 'vitest'
import { forwarded } from './forwarded.ts'

class Counter {
  #count = 0
  label = 'counter'
  get count(): number {
    return this.#count
  }
  add(by: number): this {
    this.#count += by
    return this
  }
}

test('whatever is done to the stand-in is done to what is found, anew each time', () => {
  const counters = [new Counter(), new Counter()]
  let which = 0
  const standIn = forwarded(() => counters[which]!)
  standIn.add(1)
  standIn.label = 'the first'
  which = 1
  standIn.add(5)
  Object.defineProperty(standIn, 'extra', { value: 7 })
  expect(counters.map(({ count, label }) => [count, label])).toEqual([
    [1, 'the first'],
    [5, 'counter'],
  ])
  expect([standIn.count, Object.keys(standIn), 'extra' in standIn]).toEqual([5, ['label'], true])
  expect(Reflect.deleteProperty(standIn, 'extra')).toBe(true)
  expect('extra' in counters[1]!).toBe(false)
  expect(standIn instanceof Counter).toBe(true)
  expect(standIn.constructor).toBe(Counter)
})

test('a method runs on what was found, not on the stand-in, also when it goes on later', async () => {
  const client = {
    calls: [] as unknown[],
    async work() {
      await Promise.resolve()
      this.calls.push(this)
    },
  }
  let found: typeof client | undefined = client
  const standIn = forwarded(() => {
    if (found === undefined) throw new Error('gone')
    return found
  })
  const working = standIn.work()
  found = undefined
  await working
  expect(client.calls).toEqual([client])
  expect(client.calls[0]).toBe(client)
})

test('a method that returns its object returns the stand-in, so that a chain stays behind it', () => {
  const standIn = forwarded(() => new Counter())
  expect(standIn.add(1)).toBe(standIn)
})

test('a method is the same at each look, keeps its properties, and can be replaced', () => {
  const client = { run: vi.fn<(by: number) => number>((by) => by + 1) }
  const standIn = forwarded(() => client)
  expect(standIn.run(1)).toBe(2)
  expect(standIn.run).toBe(standIn.run)
  expect(standIn.run).toHaveBeenCalledWith(1)
  const spy = vi.spyOn(standIn, 'run').mockReturnValue(9)
  expect(client.run(1)).toBe(9)
  spy.mockRestore()
})

test('a function with properties can be called, as a template too', () => {
  const tag = Object.assign((strings: TemplateStringsArray, ...values: number[]) => strings.join('?') + values.join(), {
    kind: 'tag',
  })
  const standIn = forwarded(() => tag)
  expect([standIn`a ${1} b ${2}`, standIn.kind]).toEqual(['a ? b ?1,2', 'tag'])
})

test('it can be awaited where there is nothing to find', async () => {
  const standIn = forwarded<Counter>(() => {
    throw new Error('nothing here')
  })
  expect(await Promise.resolve(standIn)).toBe(standIn)
  expect(() => standIn.count).toThrow('nothing here')
})
