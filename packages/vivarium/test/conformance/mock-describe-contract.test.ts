import { describe, expect, test } from 'vitest'
import { defineMock, describeContract } from '../../src/mock/index.ts'
import { runInSandbox } from '../../src/vivarium/current-sandbox.ts'
import { useSandboxes } from '../support/sandboxes.ts'

interface Counter {
  add(count: number): Promise<number>
}

class RealCounter implements Counter {
  #count = 0
  async add(count: number): Promise<number> {
    return (this.#count += count)
  }
}

const sandboxes = await useSandboxes()
const sandbox = await sandboxes.open({ title: 'around all' })
const counter = defineMock<Counter>('Counter')
const ran: string[] = []

describeContract(
  'Counter',
  {
    real: () => new RealCounter(),
    double: () => {
      let count = 0
      counter.stub.add(async (more) => (count += more))
      return counter.double
    },
  },
  (open, which) => {
    test('adds up', () =>
      runInSandbox(sandbox, async () => {
        const subject = await open()
        ran.push(which)
        expect([await subject.add(1), await subject.add(2)]).toEqual([1, 3])
        expect(subject instanceof RealCounter).toBe(which === 'real')
      }))
  },
  { describe },
)

test('the same tests ran against both', () => {
  expect(ran).toEqual(['real', 'double'])
})

test('the runner’s global describe is used where it has one', () => {
  const blocks: string[] = []
  const global = globalThis as { describe?: unknown }
  global.describe = (name: string, body: () => void) => {
    blocks.push(name)
    body()
  }
  try {
    describeContract('Counter', { real: () => 1, double: () => 2 }, () => {})
  } finally {
    delete global.describe
  }
  expect(blocks).toEqual(['Counter: the real one', 'Counter: the double'])
})

test('without a describe it says what to pass', () => {
  const act = (): void => describeContract('Counter', { real: () => 1, double: () => 2 }, () => {})
  expect(act).toThrow(/no `describe`[^]*\{ describe \}/)
})
