import { expect, test } from 'vitest'
import { defineMock, defineMockFunction } from '../../src/mock/index.ts'
import { codesOf, useSandboxes } from '../support/sandboxes.ts'

interface PaymentGateway {
  charge(request: { amountCents: number; cardToken: string }): Promise<{ id: string }>
  refund(id: string): Promise<void>
  feeOf(amountCents: number): number
}

interface Mailer {
  send(to: string, subject: string): Promise<void>
}

const sandboxes = await useSandboxes()
const provider = defineMock<PaymentGateway>('PaymentGateway')
const gateway = provider.double
const visa = { amountCents: 10_000, cardToken: 'tok_visa' }

test('an expected call is answered as it was said, and then the sandbox closes without a word', async () => {
  const outcome = await sandboxes.run(async () => {
    provider.expect.charge(visa).resolves({ id: 'ch_1' })
    provider.expect.charge({ amountCents: expect.any(Number), cardToken: 'tok_none' }).rejects(new Error('declined'))
    provider.expect.feeOf(500).returns(15)
    provider.expect.feeOf(-1).throws(new RangeError('negative'))
    provider.expect.feeOf().answers((amountCents) => amountCents / 100)
    expect(await gateway.charge(visa)).toEqual({ id: 'ch_1' })
    await expect(gateway.charge({ amountCents: 1, cardToken: 'tok_none' })).rejects.toThrow('declined')
    expect(gateway.feeOf(500)).toBe(15)
    expect(() => gateway.feeOf(-1)).toThrow('negative')
    expect(gateway.feeOf(700)).toBe(7)
  })
  expect(outcome).toEqual({ thrown: undefined, failures: [] })
})

test('a function that was never mentioned may not be called', async () => {
  const outcome = await sandboxes.run(() => gateway.charge(visa))
  expect(outcome.thrown).toMatchObject({ code: 'MOCK_CALL_UNEXPECTED' })
  expect(outcome.failures).toEqual([outcome.thrown])
})

test('an error about a call has the stack of that call, one about an expectation the stack of that', async () => {
  const outcome = await sandboxes.run(() => {
    provider.expect.refund('a').resolves()
    expect(() => gateway.charge(visa)).toThrow('MOCK_CALL_UNEXPECTED')
  })
  const frames = outcome.failures.map(({ stack = '' }) => stack.split('\n').find((line) => /^ +at /.test(line)))
  expect(frames).toEqual([expect.stringContaining('mock-verbs.test.ts'), expect.stringContaining('mock-verbs.test.ts')])
})

test('an unexpected call fails the sandbox although the application caught the error', async () => {
  const outcome = await sandboxes.run(async () => {
    try {
      await gateway.charge(visa)
    } catch {
      // The application has a way round.
    }
  })
  expect(codesOf(outcome)).toEqual(['MOCK_CALL_UNEXPECTED'])
})

test('expectations of a function are met in the order in which they were said', async () => {
  const outcome = await sandboxes.run(async () => {
    provider.expect.refund('a').resolves()
    provider.expect.refund('b').resolves()
    expect(() => gateway.refund('b')).toThrow('another call was expected next')
    await gateway.refund('a')
    await gateway.refund('b')
  })
  expect(codesOf(outcome)).toEqual(['MOCK_CALL_UNEXPECTED'])
})

test('times counts, and one call more fails', async () => {
  const outcome = await sandboxes.run(async () => {
    provider.expect.refund('a').times(3).resolves()
    for (let call = 0; call < 3; call++) await gateway.refund('a')
    expect(() => gateway.refund('a')).toThrow('once more than expected')
  })
  expect(codesOf(outcome)).toEqual(['MOCK_CALL_UNEXPECTED'])
})

test.each([-1, 1.5, Number.NaN])('a call cannot be expected %d times', async (count) => {
  const { thrown } = await sandboxes.run(() => provider.expect.refund('a').times(count))
  expect(thrown).toMatchObject({ code: 'CONFIG_INVALID' })
})

test('times(0) and deny forbid a call, and ask for none', async () => {
  const quiet = await sandboxes.run(() => {
    provider.expect.refund().times(0)
    provider.deny.charge()
  })
  expect(quiet.failures).toEqual([])
  const outcome = await sandboxes.run(() => {
    provider.expect.refund().times(0)
    provider.deny.charge()
    expect(() => gateway.refund('a')).toThrow('is forbidden')
    expect(() => gateway.charge(visa)).toThrow('is forbidden')
  })
  expect(codesOf(outcome)).toEqual(['MOCK_CALL_UNEXPECTED', 'MOCK_CALL_UNEXPECTED'])
})

test('certain arguments can be denied, and a stub serves the others', async () => {
  const outcome = await sandboxes.run(async () => {
    provider.stub.refund(async () => {})
    provider.deny.refund('a')
    await gateway.refund('b')
    expect(() => gateway.refund('a')).toThrow('is forbidden')
  })
  expect(codesOf(outcome)).toEqual(['MOCK_CALL_UNEXPECTED'])
})

test('what is expected again after it was used up is met again', async () => {
  const outcome = await sandboxes.run(async () => {
    for (const id of ['a', 'b', 'c']) {
      provider.expect.refund(id).resolves()
      await gateway.refund(id)
    }
  })
  expect(outcome).toEqual({ thrown: undefined, failures: [] })
})

test('once all expectations are consumed a call fails, although a stub was declared before them', async () => {
  const outcome = await sandboxes.run(async () => {
    provider.stub.feeOf(() => 1)
    provider.expect.feeOf(500).returns(15)
    gateway.feeOf(500)
    expect(() => gateway.feeOf(500)).toThrow('once more than expected')
  })
  expect(codesOf(outcome)).toEqual(['MOCK_CALL_UNEXPECTED'])
})

test('a stub declared after an expectation serves once the expectation is used up', async () => {
  const outcome = await sandboxes.run(async () => {
    provider.expect.feeOf(500).returns(15)
    provider.stub.feeOf(() => 1)
    expect([gateway.feeOf(500), gateway.feeOf(500), gateway.feeOf(7)]).toEqual([15, 1, 1])
  })
  expect(outcome).toEqual({ thrown: undefined, failures: [] })
})

test('an expectation without an answer is answered by the stub, also by one declared before it', async () => {
  const outcome = await sandboxes.run(async () => {
    provider.stub.feeOf((amountCents) => amountCents / 10)
    provider.expect.feeOf(500)
    expect(gateway.feeOf(500)).toBe(50)
  })
  expect(outcome).toEqual({ thrown: undefined, failures: [] })
})

test('an expectation that nobody answers says so', async () => {
  const outcome = await sandboxes.run(() => {
    provider.expect.feeOf(500)
    expect(() => gateway.feeOf(500)).toThrow('has no answer')
  })
  expect(codesOf(outcome)).toEqual(['MOCK_ANSWER_MISSING'])
})

test('a later stub replaces an earlier one, and stubs are never verified', async () => {
  const outcome = await sandboxes.run(() => {
    provider.stub.feeOf(() => 1)
    provider.stub.feeOf(() => 2)
    provider.stub.refund(async () => {})
    expect(gateway.feeOf(500)).toBe(2)
  })
  expect(outcome).toEqual({ thrown: undefined, failures: [] })
})

test('a whole implementation serves as stubs, and each can be overridden by one of its own', async () => {
  class Ledger implements PaymentGateway {
    #charges = 0
    async charge(): Promise<{ id: string }> {
      return { id: `ch_${++this.#charges}` }
    }
    async refund(): Promise<void> {}
    feeOf = (amountCents: number): number => amountCents / 50
  }
  const outcome = await sandboxes.run(async () => {
    provider.stubAll(new Ledger())
    provider.stub.refund(async () => {
      throw new Error('too late')
    })
    expect([await gateway.charge(visa), await gateway.charge(visa)]).toEqual([{ id: 'ch_1' }, { id: 'ch_2' }])
    expect(gateway.feeOf(100)).toBe(2)
    await expect(gateway.refund('ch_1')).rejects.toThrow('too late')
    provider.stubAll(new Ledger())
    await gateway.refund('ch_1')
  })
  expect(outcome).toEqual({ thrown: undefined, failures: [] })
})

test('one mock serves several contracts', async () => {
  const outside = defineMock<PaymentGateway & Mailer>('Outside')
  const outcome = await sandboxes.run(async () => {
    outside.stub.feeOf(() => 3)
    outside.expect.send('ada@example.com', expect.stringContaining('Welcome')).resolves()
    const mailer: Mailer = outside.double
    await mailer.send('ada@example.com', 'Welcome to the shop')
    expect(outside.double.feeOf(1)).toBe(3)
  })
  expect(outcome).toEqual({ thrown: undefined, failures: [] })
})

test('a contract may be one function', async () => {
  const notify = defineMockFunction<(userId: number, text: string) => Promise<void>>('notify')
  const outcome = await sandboxes.run(async () => {
    notify.expect(1, 'hello').resolves()
    await notify.double(1, 'hello')
    notify.stub(async () => {})
    await notify.double(2, 'anything')
    notify.deny()
    expect(() => notify.double(3, 'more')).toThrow('notify was called, which is forbidden')
  })
  expect(codesOf(outcome)).toEqual(['MOCK_CALL_UNEXPECTED'])
})

test('verify may be asked early and again, and lists every call that has not come', async () => {
  const outcome = await sandboxes.run(async () => {
    provider.expect.charge(visa).resolves({ id: 'ch_1' })
    provider.expect.refund('a').times(2).resolves()
    const early = catching(() => provider.verify())
    expect(early).toMatchObject({ code: 'MOCK_CALL_MISSING', what: expect.stringContaining('3 expected calls') })
    expect(String(early)).toMatch(/charge\(\{ amountCents: 10000[^]*refund\('a'\)/)
    await gateway.charge(visa)
    await gateway.refund('a')
    expect(() => provider.verify()).toThrow('an expected call did not come')
    await gateway.refund('a')
    provider.verify()
  })
  expect(outcome).toEqual({ thrown: undefined, failures: [] })
})

test('closing the sandbox verifies without being asked, every mock of it', async () => {
  const mailer = defineMock<Mailer>('Mailer')
  const outcome = await sandboxes.run(() => {
    provider.expect.refund('a').resolves()
    mailer.expect.send('ada@example.com', 'Welcome').resolves()
  })
  expect(outcome.thrown).toBeUndefined()
  expect(outcome.failures.map(({ what }) => what)).toEqual([
    'PaymentGateway: an expected call did not come.',
    'Mailer: an expected call did not come.',
  ])
})

test('an expectation can be waited for, and one that does not come in time is rejected with what did', async () => {
  const outcome = await sandboxes.run(async () => {
    const refunded = provider.expect.refund('a').times(2).resolves()
    const later = (async () => {
      await gateway.refund('a')
      await Promise.resolve()
      await gateway.refund('a')
    })()
    await refunded.called()
    await later
    await refunded.called({ within: 1 })
    const charged = provider.expect.charge().resolves({ id: 'ch_1' })
    await expect(charged.called({ within: 20 })).rejects.toMatchObject({ code: 'MOCK_CALL_TIMEOUT' })
    await gateway.charge(visa)
  })
  expect(outcome).toEqual({ thrown: undefined, failures: [] })
})

test('what a stub throws or rejects with reaches the application as it is, and fails nothing', async () => {
  const refusal = new Error('card_declined')
  const outcome = await sandboxes.run(async () => {
    provider.stub.charge(async () => Promise.reject(refusal))
    provider.stub.feeOf(() => {
      throw refusal
    })
    expect(await gateway.charge(visa).catch((error: unknown) => error)).toBe(refusal)
    expect(catching(() => gateway.feeOf(1))).toBe(refusal)
  })
  expect(outcome).toEqual({ thrown: undefined, failures: [] })
})

test('calls are interactions: observed with their arguments and how they ended', async () => {
  const outcome = await sandboxes.run(async (sandbox) => {
    provider.stub.charge(async () => ({ id: 'ch_1' }))
    provider.stub.feeOf(() => {
      throw new Error('no fee')
    })
    const { calls } = await sandbox.observe(async () => {
      await gateway.charge(visa)
      expect(() => gateway.feeOf(5)).toThrow('no fee')
    })
    expect(calls).toEqual([
      {
        component: 'mock',
        mock: 'PaymentGateway',
        fn: 'charge',
        args: [visa],
        outcome: 'returned',
        value: { id: 'ch_1' },
        durationMs: expect.any(Number),
        at: expect.any(Number),
      },
      {
        component: 'mock',
        mock: 'PaymentGateway',
        fn: 'feeOf',
        args: [5],
        outcome: 'threw',
        value: new Error('no fee'),
        durationMs: expect.any(Number),
        at: expect.any(Number),
      },
    ])
    expect(sandbox.calls).toEqual(calls)
  })
  expect(outcome).toEqual({ thrown: undefined, failures: [] })
})

test('a double is no promise, prints itself without being called, and cannot be written to', async () => {
  const outcome = await sandboxes.run(async () => {
    expect(await Promise.resolve(gateway)).toBe(gateway)
    expect(JSON.stringify({ gateway })).toBe('{"gateway":{}}')
    expect(String(gateway)).toBe('[object Object]')
    expect({ gateway }).toEqual({ gateway })
    expect(() => Object.assign(gateway, { feeOf: () => 1 })).toThrow(TypeError)
    const { feeOf } = gateway
    expect(feeOf).toBe(gateway.feeOf)
  })
  expect(outcome).toEqual({ thrown: undefined, failures: [] })
})

test('properties that are no functions are given once', async () => {
  const versioned = defineMock<PaymentGateway & { readonly version: string }>('Versioned', { values: { version: '7' } })
  expect(versioned.double.version).toBe('7')
})

function catching(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
