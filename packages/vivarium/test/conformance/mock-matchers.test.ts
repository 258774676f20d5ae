import { expect as jestExpect } from 'expect'
import { describe, expect, test, vi } from 'vitest'
import { defineMock } from '../../src/mock/index.ts'
import { useSandboxes } from '../support/sandboxes.ts'

interface Mailer {
  send(to: string, mail: { subject: string }): Promise<number>
  quota(): number
}

const sandboxes = await useSandboxes()
const mailer = defineMock<Mailer>('Mailer')
const { double } = mailer

/** What of the two `expect` is used here has one form. */
const libraries = [
  ['Vitest', expect],
  ['Jest', jestExpect as unknown as typeof expect],
] as const

describe.each(libraries)('%s', (_, expect) => {
  test('a double’s functions satisfy the matchers of mock functions', async () => {
    const outcome = await sandboxes.run(async () => {
      expect(double.send).not.toHaveBeenCalled()
      mailer.stub.send(async () => 250)
      mailer.stub.quota(() => 3)
      await double.send('ada@example.com', { subject: 'Welcome' })
      await double.send('grace@example.com', { subject: 'Welcome back' })
      double.quota()
      expect(double.send).toHaveBeenCalled()
      expect(double.send).toHaveBeenCalledTimes(2)
      expect(double.send).toHaveBeenCalledWith('ada@example.com', { subject: expect.stringContaining('Welcome') })
      expect(double.send).toHaveBeenCalledWith(expect.any(String), expect.objectContaining({ subject: 'Welcome back' }))
      expect(double.send).toHaveBeenNthCalledWith(1, 'ada@example.com', expect.anything())
      expect(double.send).toHaveBeenLastCalledWith('grace@example.com', expect.anything())
      expect(double.send).not.toHaveBeenCalledWith('nobody@example.com', expect.anything())
      expect(double.quota).toHaveReturnedWith(3)
      expect(double.quota).toHaveReturnedTimes(1)
      expect(double.quota).toHaveLastReturnedWith(3)
    })
    expect(outcome).toEqual({ thrown: undefined, failures: [] })
  })

  test('they fail with the name of the function', async () => {
    const { thrown } = await sandboxes.run(() => expect(double.send).toHaveBeenCalledTimes(1))
    expect(String(thrown)).toMatch(/Mailer\.send|toHaveBeenCalledTimes/)
  })

  test('expectations take its asymmetric matchers', async () => {
    const outcome = await sandboxes.run(async () => {
      mailer.expect
        .send(expect.stringMatching(/@example\.com$/), expect.objectContaining({ subject: expect.any(String) }))
        .resolves(250)
      expect(await double.send('ada@example.com', { subject: 'Welcome' })).toBe(250)
    })
    expect(outcome).toEqual({ thrown: undefined, failures: [] })
  })

  test('at once, each sandbox shows its own calls only', async () => {
    const one = async (to: string): Promise<unknown> =>
      (
        await sandboxes.run(async () => {
          mailer.stub.send(async () => 250)
          await Promise.resolve()
          await double.send(to, { subject: to })
          expect(double.send).toHaveBeenCalledTimes(1)
          expect(double.send).toHaveBeenCalledWith(to, { subject: to })
        })
      ).thrown
    expect(await Promise.all(['a', 'b', 'c', 'd'].map(one))).toEqual([undefined, undefined, undefined, undefined])
  })
})

test('what promises settled with, and the order of calls, are known to Vitest’s matchers', async () => {
  const outcome = await sandboxes.run(async () => {
    mailer.stub.send(async () => 250)
    mailer.stub.quota(() => {
      throw new Error('none')
    })
    await double.send('a', { subject: 'b' })
    expect(() => double.quota()).toThrow('none')
    expect(double.send).toHaveResolvedWith(250)
    expect(double.send).toHaveResolvedTimes(1)
    expect(double.quota).not.toHaveReturned()
    expect(double.send).toHaveBeenCalledBefore(double.quota as never)
    expect(double.quota).toHaveBeenCalledAfter(double.send as never)
    expect(vi.isMockFunction(double.send)).toBe(true)
    vi.clearAllMocks()
    expect(double.send).toHaveBeenCalledTimes(1)
  })
  expect(outcome).toEqual({ thrown: undefined, failures: [] })
})
