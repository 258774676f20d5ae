import { http, HttpResponse, passthrough } from 'msw'
import { describe, expect, test } from 'vitest'
import { defineService, inOrder, slow } from '../../../src/http/index.ts'
import { runInSandbox } from '../../../src/vivarium/current-sandbox.ts'
import { withSandbox } from './with-sandbox.ts'

const { run, vivarium } = withSandbox()
const stripe = defineService('Stripe', 'https://api.stripe.test')
const maps = defineService('Maps', 'https://maps.test/v2')

const charge = (fields: Record<string, string> = { amount: '10000', currency: 'usd' }): Promise<Response> =>
  fetch('https://api.stripe.test/v1/charges', { method: 'POST', body: new URLSearchParams(fields) })
const get = async (path: string): Promise<unknown> => (await fetch(`https://api.stripe.test${path}`)).json()

describe('an expectation', () => {
  test('is met by its request, and answers it', async () => {
    const { failures, sandbox } = await run(async () => {
      stripe
        .expect('POST /v1/charges', { form: { amount: 10_000, currency: 'usd' } })
        .replies({ json: { id: 'ch_123' } })
      expect(await (await charge()).json()).toEqual({ id: 'ch_123' })
    })
    expect(failures).toEqual([])
    expect(sandbox.requests).toMatchObject([
      {
        component: 'http',
        service: 'Stripe',
        method: 'POST',
        url: 'https://api.stripe.test/v1/charges',
        headers: { host: 'api.stripe.test', 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' },
        body: 'amount=10000&currency=usd',
        status: 200,
        responseBody: '{"id":"ch_123"}',
        durationMs: expect.any(Number),
        error: undefined,
      },
    ])
  })

  test('that is not met fails its test, with the place where it stands and the requests that came', async () => {
    const { failures } = await run(async () => {
      stripe.stub('GET /v1/balance').replies({ json: {} })
      stripe.expect('POST /v1/charges')
      await get('/v1/balance')
    })
    expect(failures).toEqual([expect.stringContaining('Stripe: POST /v1/charges did not come')])
    expect(failures[0]).toContain('GET https://api.stripe.test/v1/balance → 200')
  })

  test('that comes too rarely says how often it came', async () => {
    const { failures } = await run(async () => {
      stripe.expect('POST /v1/charges').times(3)
      await charge()
    })
    expect(failures).toEqual([expect.stringContaining('did not come often enough: 1 of 3')])
  })

  test('that comes too often fails its test, though a stub was there before it', async () => {
    const { failures } = await run(async () => {
      stripe.stub('POST /v1/charges')
      stripe.expect('POST /v1/charges')
      await charge()
      expect((await charge()).status).toBe(501)
    })
    expect(failures).toEqual([expect.stringContaining('came once more than the 1 expected')])
  })

  test('that is used up leaves what follows to a stub made after it', async () => {
    const { failures } = await run(async () => {
      stripe.expect('GET /v1/balance').replies({ json: 'expected' })
      stripe.stub('GET /v1/balance').replies({ json: 'stubbed' })
      expect([await get('/v1/balance'), await get('/v1/balance')]).toEqual(['expected', 'stubbed'])
    })
    expect(failures).toEqual([])
  })

  test('may be added again once it is used up; expectations of one request are met in their order', async () => {
    const { failures } = await run(async () => {
      stripe.expect('GET /v1/balance').replies({ json: 1 })
      stripe.expect('GET /v1/balance').replies({ json: 2 })
      const before = [await get('/v1/balance'), await get('/v1/balance')]
      stripe.expect('GET /v1/balance').replies({ json: 3 })
      expect([...before, await get('/v1/balance')]).toEqual([1, 2, 3])
    })
    expect(failures).toEqual([])
  })

  test('answers its requests one after the other with what it is given', async () => {
    await run(async () => {
      stripe.stub('GET /v1/balance').replies({ status: 500 }, { json: { available: 1 } })
      expect((await fetch('https://api.stripe.test/v1/balance')).status).toBe(500)
      expect([await get('/v1/balance'), await get('/v1/balance')]).toEqual([{ available: 1 }, { available: 1 }])
    })
  })

  test('of zero times is a denial', async () => {
    const { failures } = await run(async () => {
      stripe.expect('POST /v1/charges').times(0)
      await charge()
    })
    expect(failures).toEqual([expect.stringContaining('came once more than the 0 expected')])
  })

  test('can be waited for, and says in time when it does not come', async () => {
    await run(async () => {
      const expectation = stripe.expect('GET /v1/balance').replies({ json: {} })
      const background = Promise.resolve().then(() => get('/v1/balance'))
      expect(await expectation.received()).toMatchObject([{ url: 'https://api.stripe.test/v1/balance' }])
      await background
    })
    const { failures } = await run(async () => {
      const waiting = stripe.expect('GET /v1/balance').received({ within: 20 })
      await expect(waiting).rejects.toThrow(/did not come within 20 ms[^]*HTTP_REQUEST_MISSING/)
    })
    expect(failures).toHaveLength(1)
  })

  test('in an order is met in that order only, over several services', async () => {
    const calls = [(): Promise<Response> => fetch('https://maps.test/v2/route'), (): Promise<Response> => charge()]
    const ordered = async (order: typeof calls): Promise<readonly string[]> => {
      const { failures } = await run(async () => {
        inOrder(maps.expect('GET /route'), stripe.expect('POST /v1/charges'))
        for (const call of order) await call()
      })
      return failures
    }
    expect(await ordered(calls)).toEqual([])
    expect(await ordered(calls.toReversed())).toEqual([
      expect.stringMatching(/A request to Stripe came before GET \/route, which is to come first/),
    ])
  })
})

describe('what a request must have', () => {
  test.each([
    [
      'the query',
      'GET /search',
      { query: { q: 'tea', page: 2 } },
      '/search?page=2&q=tea',
      '/search?page=2&q=milk',
      'query.q',
    ],
    [
      'one more in the query',
      'GET /search',
      { query: { q: 'tea' } },
      '/search?q=tea',
      '/search?q=tea&page=2',
      'query.page',
    ],
    [
      'a name several times',
      'GET /search',
      { query: { tag: ['a', 'b'] } },
      '/search?tag=a&tag=b',
      '/search?tag=a',
      'query.tag',
    ],
    ['the path', 'GET /users/:id', {}, '/users/17', '/users/17/roles', 'path'],
    ['the rest of the path', 'GET /users/*', {}, '/users/17/roles', '/groups/1', 'path'],
  ])('%s', async (_, pattern, criteria, right, wrong, place) => {
    const { failures } = await run(async () => {
      stripe.stub(pattern, criteria).replies({ json: 'stubbed' })
      expect(await get(right)).toBe('stubbed')
      await get(wrong)
    })
    expect(failures).toEqual([expect.stringContaining(`${place}: expected`)])
  })

  test('headers, JSON, text and nested fields of a form, with matchers and regular expressions', async () => {
    const post = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
      fetch('https://api.stripe.test/x', { method: 'POST', body, headers })
    const { failures } = await run(async () => {
      stripe.expect('POST /x', {
        headers: { 'Idempotency-Key': expect.any(String), authorization: /^Bearer / },
        json: { amount: 5, items: [{ id: expect.stringMatching(/^it_/) }] },
      })
      await post('{"items":[{"id":"it_1"}],"amount":5}', { 'idempotency-key': 'k', authorization: 'Bearer x' })
      stripe.expect('POST /x', { text: /world$/g })
      await post('hello world')
      stripe.expect('POST /x', { form: { metadata: { order: 17 }, items: [{ price: /^pr_/ }], capture: false } })
      await post('metadata[order]=17&items[0][price]=pr_1&capture=false')
    })
    expect(failures).toEqual([])
  })

  test('a body that is no JSON is shown as the text that it is', async () => {
    const { failures } = await run(async () => {
      stripe.stub('POST /x', { json: { a: 1 } })
      await fetch('https://api.stripe.test/x', { method: 'POST', body: '{"a":1' })
    })
    expect(failures).toEqual([expect.stringContaining(`json: expected { a: 1 }, received '{"a":1'`)])
  })

  test('a path is compared as it is sent: what is not ASCII is encoded', async () => {
    const { failures } = await run(async () => {
      stripe.expect('GET /cafés/:id').replies({ json: 'there' })
      expect(await get('/cafés/7')).toBe('there')
    })
    expect(failures).toEqual([])
  })

  test('services of one origin pass, and are unwell, each for itself', async () => {
    const one = defineService('Same name', 'https://shared.invalid/a')
    const other = defineService('Same name', 'https://shared.invalid/b')
    const { failures } = await run(async () => {
      one.passThrough()
      one.becomes({ behaves: 'rateLimited', seconds: 1 })
      expect((await fetch('https://shared.invalid/a/x')).status).toBe(429)
      expect((await fetch(`${other.baseUrl}/x`)).status).toBe(501)
    })
    expect(failures).toEqual([expect.stringContaining('A request to Same name came that nothing expects')])
  })

  test('a base URL with a path stands before the path', async () => {
    const { failures } = await run(async () => {
      maps.expect('GET /route').replies({ json: 'there' })
      expect(await (await fetch('https://maps.test/v2/route')).json()).toBe('there')
    })
    expect(failures).toEqual([])
  })

  test.each(['/v1/charges', 'post /v1', 'POST v1', 'POST /v1 /v2', 'GET /v1?limit=1', ''])(
    '%j is no request',
    async (text) => {
      await run(() => {
        expect(() => stripe.stub(text)).toThrow(/no request that could be expected[^]*CONFIG_INVALID/)
      })
    },
  )
})

test('what nobody knows is refused: a service without its contract, a request without its body', async () => {
  expect(() => defineService('Misspelt', 'https://misspelt.test', { contracts: {} } as object)).toThrow(
    /Unknown option `contracts`[^]*Did you mean `contract`[^]*CONFIG_INVALID/,
  )
  await run(() => {
    expect(() => stripe.stub('POST /v1/charges', { body: 'x' } as object)).toThrow(
      /Unknown option `body` in what 'POST \/v1\/charges' must have[^]*query, headers, json, form, text/,
    )
    expect(() => stripe.expect('GET /v1/balance').times(Number.NaN)).toThrow(/a whole number of at least 0/)
  })
})

describe('a stub', () => {
  test('need not be used, and a later one replaces an earlier one', async () => {
    const { failures } = await run(async () => {
      stripe.stub('POST /v1/charges')
      stripe.stub('GET /v1/balance').replies({ json: 'earlier' })
      stripe.stub('GET /v1/balance').replies({ json: 'later' })
      expect(await get('/v1/balance')).toBe('later')
    })
    expect(failures).toEqual([])
  })

  test('answers with what a function makes of the request', async () => {
    await run(async () => {
      const answer = async (request: Request): Promise<{ json: unknown }> => ({ json: await request.json() })
      stripe.stub('POST /echo').replies(answer)
      const response = await fetch('https://api.stripe.test/echo', { method: 'POST', body: '{"a":1}' })
      expect(await response.json()).toEqual({ a: 1 })
    })
  })
})

describe('a denial', () => {
  test('fails the test whose application makes the request, though it swallows the answer', async () => {
    const { failures } = await run(async () => {
      stripe.stub('POST /v1/*')
      stripe.deny('POST /v1/refunds')
      await fetch('https://api.stripe.test/v1/refunds', { method: 'POST' }).catch(() => undefined)
    })
    expect(failures).toEqual([expect.stringContaining('A request to Stripe came that is denied')])
  })

  test.each([
    ['denied', (): unknown => stripe.deny('POST /v1/charges'), 'came that is denied'],
    ['expected zero times', (): unknown => stripe.expect('POST /v1/charges').times(0), 'than the 0 expected'],
  ])(
    '%s, a request is let through by no broader stub that comes later, but by one of the same',
    async (_, deny, told) => {
      const file = await vivarium().openSandbox({ title: 'file' })
      for (const say of [(): unknown => deny(), (): unknown => runInSandbox(file, deny)]) {
        const within = { within: file }
        const broad = await run(async () => {
          say()
          stripe.stub('* /*')
          expect((await charge()).status).toBe(501)
        }, within)
        expect(broad.failures).toEqual([expect.stringContaining(told)])
        const same = await run(async () => {
          say()
          stripe.stub('POST /v1/charges')
          expect((await charge()).status).toBe(200)
        }, within)
        expect(same.failures).toEqual([])
      }
      await file.close()
    },
  )
})

describe('a request that nothing allows', () => {
  test('fails its test though the application swallows it, with the nearest expectation and the difference', async () => {
    const { failures, errors } = await run(async () => {
      stripe.stub('GET /v1/balance')
      stripe.stub('POST /v1/charges', { form: { amount: 9000, currency: 'usd' } })
      await charge().catch(() => undefined)
    })
    expect(errors).toMatchObject([{ code: 'HTTP_REQUEST_UNEXPECTED' }])
    expect(failures[0]).toContain('POST https://api.stripe.test/v1/charges\n    amount=10000&currency=usd')
    expect(failures[0]).toContain("form.amount: expected '9000', received '10000'")
  })

  test('is told once, however often it is repeated', async () => {
    const { failures } = await run(async () => {
      for (let attempt = 0; attempt < 3; attempt++) await charge()
      await charge({ amount: '1' })
    })
    expect(failures).toHaveLength(2)
    expect(failures[0]).toContain('that nothing expects (3 times)')
  })

  test('to a host that no service has is refused as well', async () => {
    const { failures } = await run(async () => void (await fetch('https://unknown.test/')))
    expect(failures).toEqual([
      expect.stringMatching(/^A request came that nothing expects:\n +GET https:\/\/unknown.test\//),
    ])
  })
})

describe('handlers of MSW', () => {
  test('are expected and stubbed as they are; a path belongs to the service', async () => {
    const { failures } = await run(async () => {
      stripe.expect(http.get('/v1/charges/:id', ({ params }) => HttpResponse.json({ id: params.id })))
      stripe.stub(http.get('https://api.stripe.test/v1/balance', () => HttpResponse.json('stubbed')))
      expect([await get('/v1/charges/ch_7'), await get('/v1/balance')]).toEqual([{ id: 'ch_7' }, 'stubbed'])
      expect((await fetch('https://api.stripe.test/v1/charges/ch_7')).status).toBe(501)
    })
    expect(failures).toEqual([expect.stringContaining('came once more than the 1 expected')])
  })

  test('of a project serve all together: the first that answers', async () => {
    await run(async () => {
      stripe.stubAll([
        http.get('/v1/balance', () => undefined),
        http.get('/v1/balance', () => HttpResponse.json('second')),
        http.get('/v1/balance', () => HttpResponse.json('third')),
        http.get('/once', () => HttpResponse.json('once'), { once: true }),
        http.get('/once', () => HttpResponse.json('then')),
      ])
      expect(await get('/v1/balance')).toBe('second')
      expect([await get('/once'), await get('/once')]).toEqual(['once', 'then'])
    })
  })

  test('that answer HttpResponse.error() end the connection', async () => {
    await run(async () => {
      stripe.stub(http.get('/v1/balance', () => HttpResponse.error()))
      await expect(get('/v1/balance')).rejects.toThrow('fetch failed')
    })
  })

  test('that let pass reach the service itself', async () => {
    const { createServer } = await import('node:http')
    const server = createServer((request, response) => response.end(`the real ${request.method} ${request.url}`))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const base = `http://127.0.0.1:${(server.address() as { port: number }).port}`
    const own = defineService('Own', base)
    const { failures, sandbox } = await run(async () => {
      own.stub(http.get(`${base}/a`, () => passthrough()))
      expect(await (await fetch(`${base}/a?x=1`)).text()).toBe('the real GET /a?x=1')
      expect((await fetch(`${base}/b`)).status).toBe(501)
      own.passThrough()
      expect(await (await fetch(`${base}/c`)).text()).toBe('the real GET /c')
    })
    server.close()
    server.closeAllConnections()
    expect(failures).toHaveLength(1)
    expect(sandbox.requests.map(({ responseBody }) => responseBody)).toContain('the real GET /c')
  })
})

describe('a handler', () => {
  test('that throws fails the test with its own error; the application is answered 500', async () => {
    const mistake = new TypeError('the fixture is missing')
    const { errors, failures } = await run(async () => {
      stripe.stub('GET /v1/balance').replies(() => {
        throw mistake
      })
      stripe.stub(
        http.get('/v1/msw', () => {
          throw mistake
        }),
      )
      for (const path of ['/v1/balance', '/v1/msw']) {
        expect((await fetch(`https://api.stripe.test${path}`)).status).toBe(500)
      }
    })
    expect(errors).toMatchObject([
      { code: 'HTTP_HANDLER_FAILED', cause: mistake },
      { code: 'HTTP_HANDLER_FAILED', cause: mistake },
    ])
    expect(failures[0]).toContain('Seen: TypeError: the fixture is missing')
  })

  test('whose matcher throws fails the test with the place of its rule', async () => {
    const asymmetricMatch = (): boolean => {
      throw new TypeError('the matcher is wrong')
    }
    const { failures } = await run(async () => {
      stripe.stub('GET /v1/balance', { headers: { host: { asymmetricMatch } } })
      expect((await fetch('https://api.stripe.test/v1/balance')).status).toBe(500)
    })
    expect(failures).toEqual([
      expect.stringMatching(
        /The handler of GET \/v1\/balance, defined at <file>:<line>, failed[^]*the matcher is wrong/,
      ),
    ])
  })

  test('of MSW that leaves the answer to others has not met its expectation', async () => {
    const { errors } = await run(async () => {
      stripe.stub('GET /v1/balance').replies({ json: 'stubbed' })
      const passed = stripe.expect(http.get('/v1/balance', () => undefined))
      expect([await get('/v1/balance'), await get('/v1/balance')]).toEqual(['stubbed', 'stubbed'])
      expect(passed.requests).toEqual([])
    })
    expect(errors).toMatchObject([{ code: 'HTTP_REQUEST_MISSING' }])
  })

  test('that answers twice with one Response fails the test and says so', async () => {
    const response = HttpResponse.json({})
    const { failures } = await run(async () => {
      stripe.stub('GET /v1/balance').replies(() => response)
      await get('/v1/balance')
      await get('/v1/balance')
    })
    expect(failures).toEqual([expect.stringContaining('a Response that was an answer before')])
  })

  test('that never answers is reported when its sandbox closes, in time', async () => {
    let asked!: Promise<unknown>
    const { errors, failures, sandbox } = await run(async () => {
      const expectation = stripe.expect('GET /v1/balance').replies(() => new Promise(() => undefined))
      asked = fetch('https://api.stripe.test/v1/balance').catch((error: unknown) => error)
      await expectation.received()
    })
    expect(errors).toMatchObject([{ code: 'HTTP_REQUEST_PENDING' }])
    expect(failures[0]).toContain('it is answered by GET /v1/balance, defined at <file>:<line>')
    expect(await asked).toBeInstanceOf(TypeError)
    expect(sandbox.requests).toMatchObject([{ error: 'its sandbox closed', status: undefined }])
  })
})

describe('a request in flight when its test ends', () => {
  test('is waited for', async () => {
    const { failures, sandbox } = await run(async () => {
      const expectation = stripe.expect('GET /v1/balance').replies(slow(50, { json: {} }))
      void fetch('https://api.stripe.test/v1/balance')
      await expectation.received()
    })
    expect(failures).toEqual([])
    expect(sandbox.requests).toMatchObject([{ status: 200 }])
  })
})

describe('sandboxes', () => {
  test('what was said after close, or where none is open, is refused', async () => {
    let later!: ReturnType<typeof stripe.expect>
    await run(async () => {
      later = stripe.expect('GET /v1/balance')
      await get('/v1/balance').catch(() => undefined)
    })
    expect(() => later.replies({})).toThrow('SANDBOX_CLOSED')
    expect(() => stripe.stub('GET /')).toThrow('NO_SANDBOX')
    expect(() => stripe.becomes({ behaves: 'down' })).toThrow('NO_SANDBOX')
  })

  test('a sandbox is served by what was said in the one around it; its own comes first and goes with it', async () => {
    const file = await vivarium().openSandbox({ title: 'file' })
    runInSandbox(file, () => {
      stripe.stub('GET /v1/balance').replies({ json: 'of the file' })
      stripe.expect('GET /v1/once').replies({ json: 'once' })
    })
    const { failures } = await run(
      async () => {
        expect(await get('/v1/balance')).toBe('of the file')
        stripe.stub('GET /v1/balance').replies({ json: 'of the test' })
        expect(await get('/v1/balance')).toBe('of the test')
        expect(await get('/v1/once')).toBe('once')
      },
      { within: file },
    )
    expect(failures).toEqual([])
    await run(async () => expect(await get('/v1/balance')).toBe('of the file'), { within: file })
    await file.close()
  })

  test('one hundred at once with the same URL do not see each other', async () => {
    const all = Array.from({ length: 100 }, (_, index) =>
      run(
        async () => {
          stripe.expect('POST /v1/charges', { form: { amount: index } }).replies({ json: { id: `ch_${index}` } })
          stripe.stub('GET /v1/charges/:id').replies(slow(index % 7, { json: { of: index } }))
          expect(await (await charge({ amount: String(index) })).json()).toEqual({ id: `ch_${index}` })
          expect(await get(`/v1/charges/ch_${index}`)).toEqual({ of: index })
        },
        { concurrent: true, title: `test ${index}` },
      ),
    )
    for (const [index, { failures, sandbox }] of (await Promise.all(all)).entries()) {
      expect(failures).toEqual([])
      expect(sandbox.requests.map(({ body, url }) => body ?? url)).toEqual([
        `amount=${index}`,
        `https://api.stripe.test/v1/charges/ch_${index}`,
      ])
    }
  })
})
