import { expect, test } from 'vitest'
import { defineMock } from '../../src/mock/index.ts'
import { runInSandbox } from '../../src/vivarium/current-sandbox.ts'
import { codesOf, failuresOf, useSandboxes } from '../support/sandboxes.ts'

interface Ledger {
  book(amountCents: number): Promise<string>
  close(): void
}

const sandboxes = await useSandboxes()
const ledger = defineMock<Ledger>('Ledger')
const { double } = ledger

test('one mock in two sandboxes at once: each has its own expectations, stubs and calls', async () => {
  const [first, second] = await Promise.all([
    sandboxes.run(async (sandbox) => {
      ledger.expect.book(1).resolves('first')
      await Promise.resolve()
      expect(await double.book(1)).toBe('first')
      expect(sandbox.calls.map(({ args }) => args)).toEqual([[1]])
    }),
    sandboxes.run(async (sandbox) => {
      ledger.stub.book(async () => 'second')
      await Promise.resolve()
      expect([await double.book(1), await double.book(2)]).toEqual(['second', 'second'])
      expect(sandbox.calls.map(({ args }) => args)).toEqual([[1], [2]])
    }),
  ])
  expect([first, second]).toEqual([
    { thrown: undefined, failures: [] },
    { thrown: undefined, failures: [] },
  ])
})

test('whatever a flow starts, and whatever that starts, shares its sandbox', async () => {
  const outcome = await sandboxes.run(async () => {
    ledger.expect.book(1).resolves('a')
    const called = new Promise<void>((resolve) => {
      setImmediate(
        () =>
          void Promise.resolve()
            .then(() => double.book(1))
            .then(() => resolve()),
      )
    })
    await called
  })
  expect(outcome).toEqual({ thrown: undefined, failures: [] })
})

test('another flow can be allowed: what it calls, it calls in the sandbox that allowed it', async () => {
  const file = await sandboxes.open({ title: 'the file' })
  const sandbox = await sandboxes.open({ title: 'the test', around: file })
  const job = runInSandbox(sandbox, () => {
    ledger.expect.book(7).resolves('seven')
    return ledger.allow((amount: number) => double.book(amount))
  })
  // This flow has no sandbox at all.
  expect(() => double.book(7)).toThrow('NO_SANDBOX')
  expect(await job(7)).toBe('seven')
  expect(await failuresOf(sandbox)).toEqual([])
  expect(() => job(7)).toThrow('SANDBOX_CLOSED')
  expect(await failuresOf(file)).toMatchObject([{ code: 'SANDBOX_CLOSED' }])
})

test('a flow with expectations of its own cannot be allowed to another sandbox', async () => {
  const owner = await sandboxes.open({ title: 'the owner' })
  const allowed = runInSandbox(owner, () => ledger.allow((amount: number) => double.book(amount)))
  runInSandbox(owner, () => ledger.stub.book(async () => 'owned'))

  const idle = await sandboxes.run(async () => expect(await allowed(1)).toBe('owned'))
  const busy = await sandboxes.run(async () => {
    ledger.expect.book(2).resolves('mine')
    expect(() => allowed(2)).toThrow('MOCK_FLOW_REFUSED')
    await double.book(2)
  })

  expect(idle).toEqual({ thrown: undefined, failures: [] })
  expect(codesOf(busy)).toEqual(['MOCK_FLOW_REFUSED'])
  expect(owner.calls.map(({ args }) => args)).toEqual([[1]])
  expect(await failuresOf(owner)).toEqual([])
})

test('where no sandbox is open every verb and every call is refused', () => {
  for (const act of [
    () => ledger.expect.book(1),
    () => ledger.stub.book(async () => ''),
    () => ledger.deny.book(),
    () => ledger.stubAll({ book: async () => '', close: () => {} }),
    () => ledger.verify(),
    () => ledger.allow(() => {}),
    () => double.close(),
    () => expect(double.book).not.toHaveBeenCalled(),
  ]) {
    expect(act).toThrow(expect.objectContaining({ code: 'NO_SANDBOX' }))
  }
})

test('after its sandbox has closed nothing can be expected any more', async () => {
  const sandbox = await sandboxes.open({ title: 'over' })
  runInSandbox(sandbox, () => ledger.stub.book(async () => ''))
  await sandbox.close()
  expect(() => runInSandbox(sandbox, () => ledger.expect.book(1))).toThrow('SANDBOX_CLOSED')
  const unused = await sandboxes.open({ title: 'over as well' })
  await unused.close()
  expect(() => runInSandbox(unused, () => ledger.expect.book(1))).toThrow('SANDBOX_CLOSED')
})

test('a call after its sandbox has closed is refused, and fails the sandbox around it', async () => {
  const file = await sandboxes.open({ title: 'the file' })
  const sandbox = await sandboxes.open({ title: 'the test', around: file })
  runInSandbox(sandbox, () => ledger.stub.book(async () => ''))
  await sandbox.close()
  expect(() => runInSandbox(sandbox, () => double.book(1))).toThrow('after its sandbox had closed')
  expect((await failuresOf(file)).map(({ code }) => code)).toEqual(['SANDBOX_CLOSED'])
})

test('what was stubbed in the sandbox around it serves a test, and the test’s own comes first and goes with it', async () => {
  const file = await sandboxes.open({ title: 'the file' })
  runInSandbox(file, () => ledger.stub.book(async () => 'of the file'))

  const plain = await sandboxes.run(async () => expect(await double.book(1)).toBe('of the file'), { around: file })
  const own = await sandboxes.run(
    async () => {
      ledger.expect.book(1)
      ledger.expect.book(2).resolves('of the test')
      expect([await double.book(1), await double.book(2)]).toEqual(['of the file', 'of the test'])
      expect(() => double.book(3)).toThrow('once more than expected')
    },
    { around: file },
  )
  const next = await sandboxes.run(async () => expect(await double.book(1)).toBe('of the file'), { around: file })

  expect([codesOf(plain), codesOf(own), codesOf(next)]).toEqual([[], ['MOCK_CALL_UNEXPECTED'], []])
  expect(await failuresOf(file)).toEqual([])
})

test('what was expected in the sandbox around them is met by tests, and verified when that one closes', async () => {
  const file = await sandboxes.open({ title: 'the file' })
  runInSandbox(file, () => ledger.expect.book(1).times(3).resolves('of the file'))
  const first = await sandboxes.run(async () => expect(await double.book(1)).toBe('of the file'), { around: file })
  const second = await sandboxes.run(async () => void (await double.book(1)), { around: file })
  expect([codesOf(first), codesOf(second)]).toEqual([[], []])
  const [missing, ...more] = await failuresOf(file)
  expect(more).toEqual([])
  expect(missing?.message).toMatch(/called 2 times, expected 3 times[^]*calls that came:\n\s+book\(1\)\n\s+book\(1\)/)
})

test('a closing sandbox waits for calls in flight, and what they still call is served', async () => {
  const sandbox = await sandboxes.open({ title: 'in flight' })
  let answered: string | undefined
  runInSandbox(sandbox, () => {
    ledger.expect.book(1).answers(async () => {
      await new Promise((resolve) => setImmediate(resolve))
      return 'in the end'
    })
    ledger.expect.close().returns()
    void double.book(1).then((text) => {
      answered = text
      double.close()
    })
  })
  expect(await failuresOf(sandbox)).toEqual([])
  expect(answered).toBe('in the end')
})

test('a call that never ends is reported, once its mock’s time is over', async () => {
  const slow = defineMock<Ledger>('Slow', { settleMs: 150 })
  const outcome = await sandboxes.run(() => {
    slow.stub.book(() => new Promise<never>(() => {}))
    void slow.double.book(5)
  })
  expect(codesOf(outcome)).toEqual(['MOCK_CALL_PENDING'])
  expect(outcome.failures[0]?.message).toMatch(/after 150 ms[^]*Slow: book\(5\)/)
})

test('a sandbox that touches no double has no part of it', async () => {
  const sandbox = await sandboxes.open({ title: 'quiet' })
  expect(sandbox.knownPart('mock')).toBeUndefined()
  expect(await failuresOf(sandbox)).toEqual([])
})

test('a rejection that nobody handles is not hidden by the double', async () => {
  const unhandled = new Promise<unknown>((resolve) => process.once('unhandledRejection', resolve))
  const listeners = process.listeners('unhandledRejection').slice(0, -1)
  for (const listener of listeners) process.off('unhandledRejection', listener)
  const outcome = await sandboxes.run(async () => {
    ledger.expect.book(1).rejects(new Error('nobody cares'))
    void double.book(1)
    expect(await unhandled).toEqual(new Error('nobody cares'))
  })
  for (const listener of listeners) process.on('unhandledRejection', listener)
  expect(outcome).toEqual({ thrown: undefined, failures: [] })
})
