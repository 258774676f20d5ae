import { execFile } from 'node:child_process'
import http, { createServer, Agent, type ClientRequest } from 'node:http'
import https, { get as namedGet } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { promisify } from 'node:util'
import {
  Agent as UndiciAgent,
  getGlobalDispatcher,
  request as undiciRequest,
  RetryAgent,
  setGlobalDispatcher,
} from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defineService, failsOnce } from '../../../src/http/index.ts'
import { findOwner } from '../../../src/core/owner.ts'
import { HttpPart } from '../../../src/http/http-part.ts'
import { intercept } from '../../../src/http/intercept/interception.ts'
import { currentSandbox, openVivarium } from '../../../src/index.ts'
import { withSandbox } from './with-sandbox.ts'

const { run, vivarium } = withSandbox()
const service = defineService('Example', 'https://api.example.test')

const server = createServer((request, response) => response.end(`real ${request.url}`))
let local: string

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  local = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

function read(request: http.ClientRequest): Promise<string> {
  return new Promise((resolve, reject) => {
    request.on('error', reject)
    request.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(`${response.statusCode} ${text}`)).on('error', reject)
    })
    request.end()
  })
}

describe('every way to make a request is intercepted', () => {
  const url = 'https://api.example.test/x'
  const ways: Readonly<Record<string, () => Promise<string>>> = {
    'fetch with a Request': async () => (await fetch(new Request(url))).text(),
    'undici.request': async () => (await undiciRequest(url)).body.text(),
    'https.request': () => read(https.request(url)),
    'https.get, imported by its name': () => read(namedGet(url)),
    'https.request with options': () =>
      read(https.request({ host: 'api.example.test', path: '/x', headers: { a: 'b' } })),
    'https.request with a list of headers': () =>
      read(https.request(url, { headers: ['host', 'api.example.test', 'a', 'b'] })),
    'https.request with a keep-alive agent': () =>
      read(https.request(url, { agent: new https.Agent({ keepAlive: true }) })),
    'https.request with agent: false': () => read(https.request(url, { agent: false })),
    'http.ClientRequest': () => read(new http.ClientRequest('http://api.example.test/x', () => undefined)),
    'http.request with an agent': () => read(http.request('http://api.example.test/x', { agent: new Agent() })),
  }
  test.each(Object.entries(ways))('%s', async (_, way) => {
    const { failures, sandbox } = await run(async () => {
      service.stub('GET https://api.example.test/x').replies({ text: 'ours' })
      service.stub('GET http://api.example.test/x').replies({ text: 'ours' })
      expect(await way()).toContain('ours')
    })
    expect(failures).toEqual([])
    expect(sandbox.requests).toMatchObject([{ headers: { host: 'api.example.test' } }])
  })

  test('after the application has set a dispatcher of its own for all', async () => {
    const before = getGlobalDispatcher()
    const { failures } = await run(async () => {
      setGlobalDispatcher(new UndiciAgent())
      service.stub('GET /x').replies({ text: 'ours' })
      expect(await (await fetch(url)).text()).toBe('ours')
    })
    setGlobalDispatcher(before)
    expect(failures).toEqual([])
  })

  test('one that goes past it fails its test', async () => {
    const { errors } = await run(async () => {
      const dispatcher = new UndiciAgent({ connect: { timeout: 50 } })
      await undiciRequest('http://nowhere.invalid/x', { dispatcher }).catch(() => undefined)
    })
    expect(errors).toMatchObject([
      { code: 'HTTP_REQUEST_ESCAPED', what: expect.stringContaining('http://nowhere.invalid/x') },
    ])
  })

  test('one of node:http that goes past it, by a connection of its own, fails its test', async () => {
    const createConnection = (): ReturnType<typeof connect> => connect({ host: '127.0.0.1', port: 1 })
    const { errors } = await run(async () => {
      for (const url of [
        'http://nowhere.invalid:8080/x',
        'http://127.0.0.1/x',
        'http://[::1]/x',
        'http://[::ffff:127.0.0.1]/x',
      ]) {
        await read(http.request(url, { createConnection })).catch(() => undefined)
      }
    })
    expect(errors).toMatchObject([
      { code: 'HTTP_REQUEST_ESCAPED', what: expect.stringContaining('GET http://nowhere.invalid:8080/x went') },
    ])
  })

  test('a path that begins with two slashes belongs to the service all the same', async () => {
    const { failures, sandbox } = await run(async () => {
      service.stub('GET //localhost/x').replies({ text: 'ours' })
      expect(await (await fetch('https://api.example.test//localhost/x')).text()).toBe('ours')
      expect(await read(https.get('https://api.example.test//localhost/x'))).toBe('200 ours')
    })
    expect(failures).toEqual([])
    expect(sandbox.requests.map(({ url: asked }) => asked)).toEqual(
      Array(2).fill('https://api.example.test//localhost/x'),
    )
  })

  test('a request that its client gives up before it is sent keeps no close waiting', async () => {
    await run(async () => {
      const controller = new AbortController()
      const given = fetch(url, { signal: controller.signal })
      controller.abort()
      await expect(given).rejects.toThrow('abort')
      const part = HttpPart.of(findOwner()!)
      const settled = part.settle().then(() => 'settled')
      // One turn of the server is enough, for nothing is under way.
      const turn = read(http.get(`${local}/turn`)).then(() => 'a turn')
      expect(await Promise.race([settled, turn])).toBe('settled')
    })
  })

  test('a dispatcher that repeats a request reaches the service again', async () => {
    const before = getGlobalDispatcher()
    setGlobalDispatcher(new RetryAgent(new UndiciAgent(), { minTimeout: 1, maxRetries: 1 }))
    const { failures, sandbox } = await run(async () => {
      service.stub('GET /x').replies(failsOnce(503, { text: 'well again' }))
      expect(await (await undiciRequest(url)).body.text()).toBe('well again')
    }).finally(() => setGlobalDispatcher(before))
    expect(failures).toEqual([])
    expect(sandbox.requests.map(({ status }) => status)).toEqual([503, 200])
  })
})

describe('what is not ours', () => {
  test('this machine is reached as ever, inside a sandbox and outside of any', async () => {
    expect(await (await fetch(`${local}/outside`)).text()).toBe('real /outside')
    const { failures, sandbox } = await run(async () => {
      expect(await (await fetch(`${local}/a`)).text()).toBe('real /a')
      expect(await read(http.get(`${local}/b`))).toBe('200 real /b')
    })
    expect(failures).toEqual([])
    expect(sandbox.requests).toEqual([])
  })

  test('this machine is a service like any other once the test says so', async () => {
    await run(async () => {
      service.stub(`GET ${local}/a`).replies({ text: 'stubbed' })
      expect(await (await fetch(`${local}/a`)).text()).toBe('stubbed')
      expect(await read(http.get(`${local}/a`))).toBe('200 stubbed')
    })
    expect(await (await fetch(`${local}/a`)).text()).toBe('real /a')
  })

  test('outside of any sandbox a request is refused, with the ways out', async () => {
    const refused =
      /GET https:\/\/api.example.test\/x was refused: no sandbox is open here[^]*passthrough[^]*NO_SANDBOX/
    const byFetch = await fetch('https://api.example.test/x').catch((error: unknown) => error)
    expect(byFetch).toMatchObject({ message: 'fetch failed', cause: { message: expect.stringMatching(refused) } })
    await expect(undiciRequest('https://api.example.test/x')).rejects.toThrow(refused)
    await expect(read(https.get('https://api.example.test/x'))).rejects.toThrow(refused)
  })

  test('a request of a sandbox that is closed is refused', async () => {
    let proceed!: () => void
    const ended = new Promise<void>((resolve) => (proceed = resolve))
    let late!: Promise<unknown>
    const file = await vivarium().openSandbox({ title: 'the file' })
    await run(
      () => {
        late = ended.then(() => fetch('https://api.example.test/x'))
      },
      { within: file },
    )
    proceed()
    await expect(late).rejects.toMatchObject({
      cause: { code: 'SANDBOX_CLOSED', what: expect.stringMatching(/^GET https:.* was refused: sandbox "the test"/) },
    })
    await expect(file.close()).rejects.toMatchObject({ errors: [{ code: 'SANDBOX_CLOSED' }] })
  })

  test('the server answers nobody who does not know a sandbox', async () => {
    const port = await intercept().server.listening
    for (const path of ['/', '/x/1/y', `/${'0'.repeat(32)}/v1`]) {
      const response = await fetch(`http://127.0.0.1:${port}${path}`)
      expect([response.status, await response.text()]).toEqual([404, expect.stringContaining('no open sandbox')])
    }
  })

  test('origins named in the options go to the network', async () => {
    // `localhost` would pass in any case; the name needs no network, and refuses at once.
    await using vivarium = await openVivarium({ http: { passthrough: ['http://passes.invalid/x'] } })
    await using sandbox = await vivarium.openSandbox({ concurrent: true })
    await sandbox.observe(() =>
      expect(fetch('http://passes.invalid/')).rejects.toMatchObject({
        cause: { code: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) },
      }),
    )
    expect(sandbox.requests).toEqual([])
    await expect(openVivarium({ http: { passthrough: ['passes'] } })).rejects.toThrow(/`http.passthrough\[0\]`/)
  })
})

/** A request that has come, and whose body has not. */
async function beginUpload(): Promise<{ request: ClientRequest; closed: Promise<unknown> }> {
  service.stub('POST /x')
  const request = https.request('https://api.example.test/x', { method: 'POST', headers: { 'content-length': 1000 } })
  const closed = new Promise((resolve) => request.on('error', () => undefined).on('close', resolve))
  request.write('a')
  await new Promise<void>((resolve) => {
    const look = (): unknown => (currentSandbox().requests.length > 0 ? resolve() : setImmediate(look))
    look()
  })
  return { request, closed }
}

test('a client that goes away in the middle of its request is no failure of the test', async () => {
  const { failures, sandbox } = await run(async () => {
    const { request, closed } = await beginUpload()
    request.destroy()
    await closed
  })
  expect(failures).toEqual([])
  expect(sandbox.requests).toMatchObject([{ error: 'the client closed the connection' }])
})

test('a request whose body is still on its way when its sandbox closes is recorded, and reported in time', async () => {
  let closed!: Promise<unknown>
  const { failures, sandbox } = await run(async () => {
    closed = (await beginUpload()).closed
  })
  expect(failures).toEqual([expect.stringContaining('POST https://api.example.test/x')])
  expect(sandbox.requests).toMatchObject([{ url: 'https://api.example.test/x', error: 'its sandbox closed' }])
  await closed
})

describe('an application in another process', () => {
  test('is answered by the same rules, in the sandbox of its URL', async () => {
    let url!: string
    const { failures, sandbox } = await run(async () => {
      url = (await service.listen()).url
      service.expect('POST /v1/charges', { json: { amount: 1 } }).replies({ json: { id: 'ch_1' } })
      const script = `fetch('${url}/v1/charges?x=1', { method: 'POST', body: '{"amount":1}' }).then((r) => r.text()).then(console.log)`
      const { stdout } = await promisify(execFile)(process.execPath, ['-e', script])
      expect(stdout.trim()).toBe('{"id":"ch_1"}')
    })
    expect(failures).toEqual([])
    expect(sandbox.requests).toMatchObject([{ service: 'Example', url: 'https://api.example.test/v1/charges?x=1' }])
    expect((await fetch(`${url}/v1/charges`)).status).toBe(404)
  })
})

describe('bodies', () => {
  test('a large one goes both ways, and a stream of bytes that are no text', async () => {
    const bytes = new Uint8Array(3_000_000).map((_, index) => index % 251)
    const { sandbox } = await run(async () => {
      service.stub('POST /x').replies(async (request) => ({ bytes: new Uint8Array(await request.arrayBuffer()) }))
      service
        .stub('GET /stream')
        .replies(
          () =>
            new Response(new ReadableStream({ pull: (sink) => (sink.enqueue(bytes.subarray(0, 10)), sink.close()) })),
        )
      const response = await fetch('https://api.example.test/x', { method: 'POST', body: bytes })
      expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true)
      expect((await (await fetch('https://api.example.test/stream')).arrayBuffer()).byteLength).toBe(10)
    })
    expect(sandbox.requests[0]).toMatchObject({ body: expect.any(Uint8Array), status: 200 })
    expect(sandbox.requests[0]!.responseBody).toHaveLength(65_536)
  })

  test('headers come as they were sent, several of one name as well', async () => {
    await run(async () => {
      service.stub('GET /x').replies({ status: 418, headers: { 'Set-Cookie': ['a=1', 'b=2'], 'x-y': 'z' } })
      const { status, headers } = await fetch('https://api.example.test/x')
      expect([status, headers.getSetCookie(), headers.get('x-y')]).toEqual([418, ['a=1', 'b=2'], 'z'])
    })
  })
})
