import { http, HttpResponse } from 'msw'
import { expect, test } from 'vitest'
import { defineService, openContract, rateLimited, type ServiceContract } from '../../../src/http/index.ts'
import { withSandbox } from './with-sandbox.ts'

const { run } = withSandbox()

const broken = (side: 'request' | 'response', message: string): ReturnType<ServiceContract['checkResponse']> => [
  { side, part: 'body', pointer: '/amount', rule: 'type', ruleAt: '/paths/1/type', value: 'x', message },
]
/** A contract of one rule on each side: a request has `amount`, an answer has `id`. */
const contract: ServiceContract = {
  checkRequest: ({ body }) => ({
    operation: undefined,
    violations: Buffer.from(body ?? []).includes('amount') ? [] : broken('request', 'amount is required'),
  }),
  checkResponse: (_, { body }) =>
    Buffer.from(body ?? []).includes('"id"') ? [] : broken('response', 'id is required'),
  exampleResponse: (_, status = 200) => ({
    status,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from('{"id":"example"}'),
  }),
}
const pay = defineService('Pay', 'https://pay.test', { contract: Promise.resolve(contract) })
const post = (body = '{"amount":1}'): Promise<Response> => fetch('https://pay.test/charges', { method: 'POST', body })

test('a request that breaks the contract fails the test, and is answered 400, though a stub would serve it', async () => {
  const { errors, failures } = await run(async () => {
    pay.stub('POST /charges').replies({ json: { id: 1 } })
    expect((await post('{"sum":1}')).status).toBe(400)
  })
  expect(errors).toMatchObject([{ code: 'HTTP_CONTRACT_BROKEN' }])
  expect(failures[0]).toMatch(
    /POST https:\/\/pay.test\/charges: this request breaks the contract of Pay[^]*request body \/amount: amount is required[^]*type at #\/paths\/1\/type/,
  )
})

test.each([
  ['in short', (): unknown => pay.stub('POST /charges').replies({ json: { ok: true } })],
  ['by a function', (): unknown => pay.stub('POST /charges').replies(() => ({ json: {} }))],
  ['by a handler of MSW', (): unknown => pay.expect(http.post('/charges', () => HttpResponse.json({})))],
])('an answer %s that breaks the contract fails the test, and names the stub', async (_, say) => {
  const { errors, failures } = await run(async () => {
    say()
    expect((await post()).status).toBe(500)
  })
  expect(errors).toMatchObject([{ code: 'HTTP_CONTRACT_BROKEN' }])
  expect(failures[0]).toMatch(
    /the test's answer breaks the contract of Pay[^]*defined at <file>:<line>[^]*id is required/,
  )
})

test('what keeps to the contract passes; what a service says when it is not well is no matter of it', async () => {
  const { failures } = await run(async () => {
    pay.expect('POST /charges').replies({ json: { id: 1 } })
    expect((await post()).status).toBe(200)
    pay.becomes(rateLimited())
    expect((await post()).status).toBe(429)
  })
  expect(failures).toEqual([])
})

test('an answer that a test does not care about is an example out of the contract', async () => {
  const { failures } = await run(async () => {
    pay.stubFromContract()
    pay.expect('POST /charges')
    pay.stubFromContract('POST /refunds', { status: 201 })
    expect(await (await post()).json()).toEqual({ id: 'example' })
    expect((await post()).status).toBe(501)
    expect((await fetch('https://pay.test/refunds', { method: 'POST', body: 'amount' })).status).toBe(201)
  })
  expect(failures).toEqual([expect.stringContaining('came once more than the 1 expected')])
  expect(() => defineService('None', 'https://none.test').stubFromContract()).toThrow('None has no contract')
})

test('a document that is not there fails the test with its own error, once; the application is answered 500', async () => {
  const bad = defineService('Bad', 'https://bad.test', { contract: openContract('./no-such-document.json') })
  const { errors } = await run(async () => {
    bad.stub('GET /x').replies({ json: {} })
    for (let count = 0; count < 2; count++) expect((await fetch('https://bad.test/x')).status).toBe(500)
  })
  expect(errors).toMatchObject([{ code: 'CONTRACT_UNREADABLE' }])
})
