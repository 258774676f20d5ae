import { http, type HttpResponse } from 'msw'
import { expect, test } from 'vitest'
import { wrapText } from '../../../src/core/wrap-text.ts'
import { defineService, inOrder } from '../../../src/http/index.ts'
import { withSandbox } from './with-sandbox.ts'

const { run } = withSandbox()
const stripe = defineService('Stripe', 'https://api.stripe.test')
const post = (path: string, body: Record<string, string>): Promise<Response> =>
  fetch(`https://api.stripe.test${path}`, { method: 'POST', body: new URLSearchParams(body) })

/** What a test reports, as a terminal shows it. */
async function reported(say: () => Promise<unknown> | void): Promise<string> {
  const { failures } = await run(say)
  const text = failures.map((failure) => wrapText(failure)).join('\n\n')
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([])
  return text
}

test('an expected request that did not come', async () => {
  const text = await reported(async () => {
    stripe.stub('GET /v1/balance').replies({ json: {} })
    stripe.expect('POST /v1/charges', { form: { amount: 10_000 } })
    stripe.expect('POST /v1/refunds').times(2)
    await fetch('https://api.stripe.test/v1/balance')
    await post('/v1/refunds', { charge: 'ch_1' })
  })
  expect(text).toMatchInlineSnapshot(`
    "Stripe: POST /v1/charges did not come.
        Expected at <file>:<line> with
          { form: { amount: 10000 } }
      Seen: other requests:
          GET https://api.stripe.test/v1/balance → 200
          POST https://api.stripe.test/v1/refunds → 200
            'charge=ch_1'
      What to do: Repair what should make the request; await what makes it before
        the test ends, or await the expectation: \`await expectation.received()\`.
      (HTTP_REQUEST_MISSING)

    Stripe: POST /v1/refunds did not come often enough: 1 of 2.
        Expected at <file>:<line>
      Seen: other requests:
          GET https://api.stripe.test/v1/balance → 200
      What to do: Repair what should make the request; await what makes it before
        the test ends, or await the expectation: \`await expectation.received()\`.
      (HTTP_REQUEST_MISSING)"
  `)
})

test('a request that nothing expects, with the nearest expectation', async () => {
  const text = await reported(async () => {
    stripe.stub('GET /v1/balance')
    stripe.stub('POST /v1/charges', { form: { amount: 9000, currency: 'usd', source: expect.any(String) } })
    for (let time = 0; time < 2; time++)
      await post('/v1/charges', { amount: '10000', currency: 'eur', source: 'tok_visa' })
    await fetch('https://unknown.test/somewhere')
  })
  expect(text).toMatchInlineSnapshot(`
    "A request to Stripe came that nothing expects (2 times):
        POST https://api.stripe.test/v1/charges
        amount=10000&currency=eur&source=tok_visa
      Seen: the nearest is the stub of POST /v1/charges at <file>:<line>
          form.amount: expected '9000', received '10000'
          form.currency: expected 'usd', received 'eur'
      What to do: Say what the service answers, \`service.expect(…)\` where the
        request must come or \`service.stub(…)\` where it may; or repair what made the
        request.
      (HTTP_REQUEST_UNEXPECTED)

    A request came that nothing expects:
        GET https://unknown.test/somewhere
      What to do: Say what the service answers, \`service.expect(…)\` where the
        request must come or \`service.stub(…)\` where it may; or repair what made the
        request.
      (HTTP_REQUEST_UNEXPECTED)"
  `)
})

test('requests that come too often, that are denied, that come too early', async () => {
  const text = await reported(async () => {
    stripe.expect('POST /v1/charges')
    for (let time = 0; time < 2; time++) await post('/v1/charges', { amount: '10000' })
    stripe.deny('POST /v1/refunds')
    await post('/v1/refunds', { charge: 'ch_1' })
    inOrder(stripe.expect('GET /v1/first'), stripe.expect('GET /v1/second'))
    await fetch('https://api.stripe.test/v1/second')
    await fetch('https://api.stripe.test/v1/first')
  })
  expect(text).toMatchInlineSnapshot(`
    "A request to Stripe came once more than the 1 expected:
        POST https://api.stripe.test/v1/charges
        amount=10000
      Seen: expectation of POST /v1/charges at <file>:<line>
      What to do: Repair what repeats the request, or expect it more often:
        \`.times(n)\`.
      (HTTP_REQUEST_UNEXPECTED)

    A request to Stripe came that is denied:
        POST https://api.stripe.test/v1/refunds
        charge=ch_1
      Seen: denial of POST /v1/refunds at <file>:<line>
      What to do: Repair what made the request, or take the denial back.
      (HTTP_REQUEST_UNEXPECTED)

    A request to Stripe came before GET /v1/first, which is to come first:
        GET https://api.stripe.test/v1/second
      Seen: expectation of GET /v1/second at <file>:<line>
      What to do: Repair the order of the requests, or take \`inOrder\` away where it
        does not matter.
      (HTTP_REQUEST_UNEXPECTED)"
  `)
})

test('handlers that throw, and that never answer', async () => {
  const text = await reported(async () => {
    stripe.stub(
      http.get('/v1/balance', () => {
        throw new RangeError('no such fixture: balance.json')
      }),
    )
    await fetch('https://api.stripe.test/v1/balance')
    const expected = stripe.expect(http.get('/v1/slow', () => new Promise<HttpResponse<null>>(() => undefined)))
    void fetch('https://api.stripe.test/v1/slow').catch(() => undefined)
    await expected.received()
  })
  expect(text).toMatchInlineSnapshot(`
    "The handler of GET /v1/balance, defined at <file>:<line>, failed on GET
      https://api.stripe.test/v1/balance.
      Seen: RangeError: no such fixture: balance.json
      What to do: Repair the handler (its own error is the cause of this one). The
        application was answered 500.
      (HTTP_HANDLER_FAILED)

    GET https://api.stripe.test/v1/slow had no answer when its sandbox closed, and
      1000 ms later.
      Seen: it is answered by GET /v1/slow, defined at <file>:<line>
      What to do: Await what made the request before the test ends; a handler that
        waits for something must come to its end.
      (HTTP_REQUEST_PENDING)"
  `)
})
