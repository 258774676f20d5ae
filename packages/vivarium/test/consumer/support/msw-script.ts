import { expect } from 'vitest'

/** What a project does with handlers of MSW; it prints what came of it. The same under each major version, and under each Node. */
export const mswScript: string = `
  import { http, HttpResponse, delay } from 'msw'
  import https from 'node:https'
  import { openVivarium } from 'vivarium'
  import { defineService } from 'vivarium/http'

  const service = defineService('Example', 'https://api.example.test')
  const vivarium = await openVivarium({})
  const sandbox = await vivarium.openSandbox({ title: 'a script' })
  const json = async (path, init) => (await fetch('https://api.example.test' + path, init)).json()
  const seen = {}

  service.expect(
    http.post('https://api.example.test/charges/:id', async ({ request, params, cookies }) => {
      await delay(5)
      return HttpResponse.json({ params, cookies, body: await request.json() }, { status: 201 })
    }),
  )
  seen.handler = await json('/charges/ch_1', { method: 'POST', body: '{"a":1}', headers: { cookie: 'c=2' } })
  service.stubAll([
    http.get('/relative', () => HttpResponse.json('first')),
    http.get('/relative', () => HttpResponse.json('second')),
    http.get('/once', () => HttpResponse.json('once'), { once: true }),
    http.get('/throws', () => {
      throw new Error('my mistake')
    }),
    http.get('/fails', () => HttpResponse.error()),
  ])
  seen.first = await json('/relative')
  seen.once = [await json('/once'), (await fetch('https://api.example.test/once')).status]
  seen.https = await new Promise((resolve) => https.get('https://api.example.test/relative', (response) => resolve(response.resume().statusCode)))
  seen.throws = (await fetch('https://api.example.test/throws')).status
  seen.fails = await fetch('https://api.example.test/fails').catch((error) => error.message)
  seen.closed = await sandbox.close().catch((error) => error.errors.map(({ code, seen }) => [code, seen]))

  seen.apart = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      const one = await vivarium.openSandbox({ concurrent: true })
      const { result } = await one.observe(async () => {
        service.expect(http.get('/mine', () => HttpResponse.json(index)))
        return json('/mine')
      })
      await one.close()
      return result === index
    }),
  ).then((all) => all.filter(Boolean).length)
  await vivarium.close()
  console.log(JSON.stringify(seen))
`

/** What it prints. */
export const mswScriptPrints: unknown = {
  handler: { params: { id: 'ch_1' }, cookies: { c: '2' }, body: { a: 1 } },
  first: 'first',
  once: ['once', 501],
  https: 200,
  throws: 500,
  fails: 'fetch failed',
  closed: [
    ['HTTP_HANDLER_FAILED', 'Error: my mistake'],
    ['HTTP_REQUEST_UNEXPECTED', expect.stringMatching(/the nearest is the stub of GET \/relative[^]*path: expected/)],
  ],
  apart: 100,
}
