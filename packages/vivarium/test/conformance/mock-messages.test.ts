import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineMock } from '../../src/mock/index.ts'
import { failuresOf, useSandboxes } from '../support/sandboxes.ts'
import { runInSandbox } from '../../src/vivarium/current-sandbox.ts'

interface PaymentGateway {
  charge(request: { amountCents: number; cardToken: string; idempotencyKey: string }): Promise<object>
  refund(id: string): Promise<void>
}

const sandboxes = await useSandboxes()
const provider = defineMock<PaymentGateway>('PaymentGateway')
const gateway = provider.double
const request = { amountCents: 10_000, cardToken: 'tok_visa', idempotencyKey: '0b9b3a1e-6c1d-4a53-9f0a-2f0c6a0d7b11' }

/** What one sandbox reports when it closes: its message as a person reads it. */
async function reported(work: () => unknown): Promise<string> {
  const sandbox = await sandboxes.open({ title: 'an order of 100.00 is paid' })
  await runInSandbox(sandbox, async () => {
    try {
      await work()
    } catch {
      // What the application does with it makes no difference.
    }
  })
  const error: unknown = await sandbox.close().catch((caught: unknown) => caught)
  const { message } = error as Error
  expect(message.split('\n').filter((line) => line.length > 80)).toEqual([])
  // Lines move when this file is edited; that they are right is tested where a runner compiles the file.
  return message.replaceAll(/:\d+:\d+/g, ':LINE')
}

test('a call that nobody mentioned', async () => {
  expect(await reported(() => gateway.charge(request))).toMatchInlineSnapshot(`
    "Sandbox "an order of 100.00 is paid": 1 failure at close
    1) PaymentGateway.charge was called, and nothing was said about it.
         Seen: in sandbox "an order of 100.00 is paid"
           called with:
             charge({
               amountCents: 10000,
               cardToken: 'tok_visa',
               idempotencyKey: '0b9b3a1e-6c1d-4a53-9f0a-2f0c6a0d7b11',
             })
         What to do: Expect the call before it comes (\`mock.expect\`), answer any
           number of them (\`mock.stub\`), or repair the application. Such a call
           fails its test also where the application caught the error.
         (MOCK_CALL_UNEXPECTED)"
  `)
})

test('a call that differs from the one expected next', async () => {
  const message = await reported(async () => {
    provider.expect
      .charge({ amountCents: 9_000, cardToken: expect.stringMatching(/^tok_/), idempotencyKey: expect.any(String) })
      .resolves({})
    await gateway.charge(request)
  })
  expect(message).toMatchInlineSnapshot(`
    "Sandbox "an order of 100.00 is paid": 2 failures at close
    1) PaymentGateway.charge was called, but another call was expected next.
         Seen: in sandbox "an order of 100.00 is paid"
           called with:
             charge({
               amountCents: 10000,
               cardToken: 'tok_visa',
               idempotencyKey: '0b9b3a1e-6c1d-4a53-9f0a-2f0c6a0d7b11',
             })
           expected next, at test/conformance/mock-messages.test.ts:LINE:
             charge({
               amountCents: 9000,
               cardToken: StringMatching /^tok_/,
               idempotencyKey: Any<String>,
             })
           difference:
             args[0].amountCents: expected 9000, received 10000
           calls before it: none
         What to do: Change what is expected, or repair the application. Such a
           call fails its test also where the application caught the error.
         (MOCK_CALL_UNEXPECTED)

    2) PaymentGateway: an expected call did not come.
         Seen: in sandbox "an order of 100.00 is paid"
           never called, expected once at
             test/conformance/mock-messages.test.ts:LINE:
             charge({
               amountCents: 9000,
               cardToken: StringMatching /^tok_/,
               idempotencyKey: Any<String>,
             })
           calls that came:
             charge({
               amountCents: 10000,
               cardToken: 'tok_visa',
               idempotencyKey: '0b9b3a1e-6c1d-4a53-9f0a-2f0c6a0d7b11',
             })
         What to do: Look why the application did not make the call, or take the
           expectation out.
         (MOCK_CALL_MISSING)"
  `)
})

test('a call that is expected later', async () => {
  const message = await reported(async () => {
    provider.expect.refund('ch_1').resolves()
    provider.expect.refund('ch_2').resolves()
    await gateway.refund('ch_2')
  })
  expect(message).toMatchInlineSnapshot(`
    "Sandbox "an order of 100.00 is paid": 2 failures at close
    1) PaymentGateway.refund was called, but another call was expected next.
         Seen: in sandbox "an order of 100.00 is paid"
           called with:
             refund('ch_2')
           expected next, at test/conformance/mock-messages.test.ts:LINE:
             refund('ch_1')
           it is the one expected later, at
             test/conformance/mock-messages.test.ts:LINE
           calls before it: none
         What to do: Change what is expected, or repair the application. Such a
           call fails its test also where the application caught the error.
         (MOCK_CALL_UNEXPECTED)

    2) PaymentGateway: 2 expected calls did not come.
         Seen: in sandbox "an order of 100.00 is paid"
           never called, expected once at
             test/conformance/mock-messages.test.ts:LINE:
             refund('ch_1')
           never called, expected once at
             test/conformance/mock-messages.test.ts:LINE:
             refund('ch_2')
           calls that came:
             refund('ch_2')
         What to do: Look why the application did not make the call, or take the
           expectation out.
         (MOCK_CALL_MISSING)"
  `)
})

test('a call that is nearest to one expected later', async () => {
  const message = await reported(async () => {
    provider.expect.charge({ amountCents: 1, cardToken: 'tok_a', idempotencyKey: 'a' }).resolves({})
    provider.expect.charge({ ...request, amountCents: 9_999 }).resolves({})
    await gateway.charge(request)
  })
  expect(message).toMatchInlineSnapshot(`
    "Sandbox "an order of 100.00 is paid": 2 failures at close
    1) PaymentGateway.charge was called, but another call was expected next.
         Seen: in sandbox "an order of 100.00 is paid"
           called with:
             charge({
               amountCents: 10000,
               cardToken: 'tok_visa',
               idempotencyKey: '0b9b3a1e-6c1d-4a53-9f0a-2f0c6a0d7b11',
             })
           expected next, at test/conformance/mock-messages.test.ts:LINE:
             charge({ amountCents: 1, cardToken: 'tok_a', idempotencyKey: 'a' })
           nearest is one expected later, at
             test/conformance/mock-messages.test.ts:LINE:
             charge({
               amountCents: 9999,
               cardToken: 'tok_visa',
               idempotencyKey: '0b9b3a1e-6c1d-4a53-9f0a-2f0c6a0d7b11',
             })
           difference from that:
             args[0].amountCents: expected 9999, received 10000
           calls before it: none
         What to do: Change what is expected, or repair the application. Such a
           call fails its test also where the application caught the error.
         (MOCK_CALL_UNEXPECTED)

    2) PaymentGateway: 2 expected calls did not come.
         Seen: in sandbox "an order of 100.00 is paid"
           never called, expected once at
             test/conformance/mock-messages.test.ts:LINE:
             charge({ amountCents: 1, cardToken: 'tok_a', idempotencyKey: 'a' })
           never called, expected once at
             test/conformance/mock-messages.test.ts:LINE:
             charge({
               amountCents: 9999,
               cardToken: 'tok_visa',
               idempotencyKey: '0b9b3a1e-6c1d-4a53-9f0a-2f0c6a0d7b11',
             })
           calls that came:
             charge({
               amountCents: 10000,
               cardToken: 'tok_visa',
               idempotencyKey: '0b9b3a1e-6c1d-4a53-9f0a-2f0c6a0d7b11',
             })
         What to do: Look why the application did not make the call, or take the
           expectation out.
         (MOCK_CALL_MISSING)"
  `)
})

test('a call too many', async () => {
  const message = await reported(async () => {
    provider.expect.refund('ch_1').resolves()
    await gateway.refund('ch_1')
    await gateway.refund('ch_1')
  })
  expect(message).toMatchInlineSnapshot(`
    "Sandbox "an order of 100.00 is paid": 1 failure at close
    1) PaymentGateway.refund was called once more than expected.
         Seen: in sandbox "an order of 100.00 is paid"
           called with:
             refund('ch_1')
           all that was expected has come:
             refund('ch_1')
               called once, expected once at
                 test/conformance/mock-messages.test.ts:LINE
         What to do: Expect one more (\`.times(…)\`), stub the rest after the
           expectation, or repair the application. Such a call fails its test also
           where the application caught the error.
         (MOCK_CALL_UNEXPECTED)"
  `)
})

test('a call that is forbidden', async () => {
  const message = await reported(async () => {
    provider.deny.refund()
    await gateway.refund('ch_1')
  })
  expect(message).toMatchInlineSnapshot(`
    "Sandbox "an order of 100.00 is paid": 1 failure at close
    1) PaymentGateway.refund was called, which is forbidden.
         Seen: in sandbox "an order of 100.00 is paid"
           called with:
             refund('ch_1')
           forbidden at test/conformance/mock-messages.test.ts:LINE
           calls before it: none
         What to do: Repair the application, or forbid less. Such a call fails its
           test also where the application caught the error.
         (MOCK_CALL_UNEXPECTED)"
  `)
})

test('expected calls that did not come', async () => {
  const message = await reported(async () => {
    provider.expect.refund('ch_1').times(3).resolves()
    provider.expect.charge(request).resolves({})
    await gateway.refund('ch_1')
  })
  expect(message).toMatchInlineSnapshot(`
    "Sandbox "an order of 100.00 is paid": 1 failure at close
    1) PaymentGateway: 3 expected calls did not come.
         Seen: in sandbox "an order of 100.00 is paid"
           called once, expected 3 times at
             test/conformance/mock-messages.test.ts:LINE:
             refund('ch_1')
           never called, expected once at
             test/conformance/mock-messages.test.ts:LINE:
             charge({
               amountCents: 10000,
               cardToken: 'tok_visa',
               idempotencyKey: '0b9b3a1e-6c1d-4a53-9f0a-2f0c6a0d7b11',
             })
           calls that came:
             refund('ch_1')
         What to do: Look why the application did not make the call, or take the
           expectation out.
         (MOCK_CALL_MISSING)"
  `)
})

const checked = defineMock<PaymentGateway>('PaymentGateway', {
  contract: {
    functions: {
      charge: {
        args: [
          z.object({
            amountCents: z.int().positive(),
            cardToken: z.string().startsWith('tok_'),
            idempotencyKey: z.uuid(),
          }),
        ],
        result: z.discriminatedUnion('status', [
          z.object({ status: z.literal('succeeded'), providerId: z.string() }),
          z.object({ status: z.literal('declined'), reason: z.string() }),
        ]),
      },
      refund: {},
    },
  },
})

test('a call against the contract', async () => {
  const message = await reported(async () => {
    checked.stub.charge(async () => ({ status: 'declined', reason: 'insufficient_funds' }))
    await checked.double.charge({ ...request, amountCents: 99.5, cardToken: '4242424242424242' })
  })
  expect(message).toMatchInlineSnapshot(`
    "Sandbox "an order of 100.00 is paid": 1 failure at close
    1) The application called PaymentGateway.charge against its contract.
         Seen: in sandbox "an order of 100.00 is paid"
           called with:
             charge({
               amountCents: 99.5,
               cardToken: '4242424242424242',
               idempotencyKey: '0b9b3a1e-6c1d-4a53-9f0a-2f0c6a0d7b11',
             })
           broken:
             args[0].amountCents: Invalid input: expected int, received number
               it is 99.5
             args[0].cardToken: Invalid string: must start with "tok_"
               it is '4242424242424242'
         What to do: Repair the application: the real one would refuse this call.
           Where it would not, repair the contract.
         (MOCK_CONTRACT_BROKEN)"
  `)
})

test('an answer against the contract', async () => {
  const message = await reported(async () => {
    checked.stub.charge(async () => ({ status: 'succeeded' }))
    await checked.double.charge(request)
  })
  expect(message).toMatchInlineSnapshot(`
    "Sandbox "an order of 100.00 is paid": 1 failure at close
    1) The test's own answer to PaymentGateway.charge is against the contract.
         Seen: in sandbox "an order of 100.00 is paid"
           called with:
             charge({
               amountCents: 10000,
               cardToken: 'tok_visa',
               idempotencyKey: '0b9b3a1e-6c1d-4a53-9f0a-2f0c6a0d7b11',
             })
           answered by what was said at
             test/conformance/mock-messages.test.ts:LINE
           broken:
             result.providerId: Invalid input: expected string, received undefined
               it is undefined
         What to do: Repair the stub, or the answer of the expectation: the real
           one never answers so. Where it does, repair the contract.
         (MOCK_CONTRACT_BROKEN)"
  `)
})

test('a call that has not ended', async () => {
  const message = await reported(() => {
    provider.stub.charge(() => new Promise<never>(() => {}))
    void gateway.charge(request)
  })
  expect(message).toMatchInlineSnapshot(`
    "Sandbox "an order of 100.00 is paid": 1 failure at close
    1) A call of a double had not ended when the sandbox closed.
         Seen: in sandbox "an order of 100.00 is paid", after 100 ms more
           what was returned has not settled:
             PaymentGateway: charge({
               amountCents: 10000,
               cardToken: 'tok_visa',
               idempotencyKey: '0b9b3a1e-6c1d-4a53-9f0a-2f0c6a0d7b11',
             })
         What to do: Await what the application does before the test ends; let a
           stub that never answers be rejected in the end.
         (MOCK_CALL_PENDING)"
  `)
})

test('several at once', async () => {
  const message = await reported(async () => {
    provider.expect.charge({ ...request, amountCents: 9_000 }).resolves({})
    provider.deny.refund()
    await Promise.allSettled(
      [async () => gateway.charge(request), async () => gateway.refund('ch_1')].map((act) => act()),
    )
  })
  expect(message).toMatchInlineSnapshot(`
    "Sandbox "an order of 100.00 is paid": 3 failures at close
    1) PaymentGateway.charge was called, but another call was expected next.
         Seen: in sandbox "an order of 100.00 is paid"
           called with:
             charge({
               amountCents: 10000,
               cardToken: 'tok_visa',
               idempotencyKey: '0b9b3a1e-6c1d-4a53-9f0a-2f0c6a0d7b11',
             })
           expected next, at test/conformance/mock-messages.test.ts:LINE:
             charge({
               amountCents: 9000,
               cardToken: 'tok_visa',
               idempotencyKey: '0b9b3a1e-6c1d-4a53-9f0a-2f0c6a0d7b11',
             })
           difference:
             args[0].amountCents: expected 9000, received 10000
           calls before it: none
         What to do: Change what is expected, or repair the application. Such a
           call fails its test also where the application caught the error.
         (MOCK_CALL_UNEXPECTED)

    2) PaymentGateway.refund was called, which is forbidden.
         Seen: in sandbox "an order of 100.00 is paid"
           called with:
             refund('ch_1')
           forbidden at test/conformance/mock-messages.test.ts:LINE
           calls before it: none
         What to do: Repair the application, or forbid less. Such a call fails its
           test also where the application caught the error.
         (MOCK_CALL_UNEXPECTED)

    3) PaymentGateway: an expected call did not come.
         Seen: in sandbox "an order of 100.00 is paid"
           never called, expected once at
             test/conformance/mock-messages.test.ts:LINE:
             charge({
               amountCents: 9000,
               cardToken: 'tok_visa',
               idempotencyKey: '0b9b3a1e-6c1d-4a53-9f0a-2f0c6a0d7b11',
             })
           calls that came:
             charge({
               amountCents: 10000,
               cardToken: 'tok_visa',
               idempotencyKey: '0b9b3a1e-6c1d-4a53-9f0a-2f0c6a0d7b11',
             })
         What to do: Look why the application did not make the call, or take the
           expectation out.
         (MOCK_CALL_MISSING)"
  `)
})

test('a function that the contract lacks', async () => {
  const misspelt = (checked.double as unknown as Record<string, () => void>)['chrage']!
  expect(await reported(() => misspelt())).toMatchInlineSnapshot(`
    "Sandbox "an order of 100.00 is paid": 1 failure at close
    1) The contract of mock "PaymentGateway" has no function "chrage".
         Seen: it has charge, refund
         What to do: Did you mean "charge"?
         (MOCK_FUNCTION_UNKNOWN)"
  `)
})

test('a call from a flow that belongs to no test', async () => {
  const other = await sandboxes.open({ title: 'the test' })
  runInSandbox(other, () => provider.expect.refund('ch_1').resolves())
  const message = await reported(() => gateway.refund('ch_1'))
  await failuresOf(other)
  expect(message).toMatchInlineSnapshot(`
    "Sandbox "an order of 100.00 is paid": 1 failure at close
    1) PaymentGateway.refund was called, and nothing was said about it.
         Seen: in sandbox "an order of 100.00 is paid"
           called with:
             refund('ch_1')
           made in sandbox "an order of 100.00 is paid"; something was said in "the
             test"
         What to do: A flow that began outside the test (a worker, a listener) is
           not a part of it: bind what it calls with \`mock.allow(fn)\`. Such a call
           fails its test also where the application caught the error.
         (MOCK_CALL_UNEXPECTED)"
  `)
})
