import { beforeEach } from 'vitest'
import { openContract, renderViolations } from 'vivarium/http'
import type { Contract } from 'vivarium/http'
import type { User } from '../../src/accounts/accounts.ts'
import { createApp } from '../../src/http/app.ts'
import type { AppParts } from '../../src/http/app.ts'
import { createLogger } from '../../src/log/logger.ts'
import type { Shop } from '../../src/shop.ts'
import { given } from './factories.ts'
import { openTestShop } from './test-shop.ts'

export interface Asking {
  /** The body. */
  readonly json?: unknown
  /** The token of a session, or of the staff. */
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  /** The body as it is, for what is no JSON. */
  readonly text?: string
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** What was answered as JSON; `undefined` where it was something else, or nothing. */
  readonly body: unknown
}

export interface TestApp {
  readonly shop: Shop
  /** Asks the application's own `fetch`: `ask('POST /api/orders', { json, token })`. Answers that the OpenAPI document does not have fail the test. */
  ask(what: string, asking?: Asking): Promise<Answer>
  /** The same for what goes on: the answer itself. */
  fetch(request: Request): Promise<Response>
  /** The lines that have been logged in this test, parsed. */
  readonly logged: Record<string, unknown>[]
}

export const staffToken = 'token-of-the-staff-in-tests'
const origin = 'http://shop.test'

/** The application as it is served, on the shop of the tests, without a port. */
export function openTestApp(changes: Partial<AppParts> = {}): TestApp {
  const { shop } = openTestShop()
  const logged: Record<string, unknown>[] = []
  beforeEach(() => void logged.splice(0))
  const app = createApp({
    shop,
    logger: createLogger({ level: 'debug', write: (line) => logged.push(JSON.parse(line) as Record<string, unknown>) }),
    healthChecks: [{ name: 'database', check: () => shop.ping() }],
    secure: false,
    staffToken,
    stopping: new AbortController().signal,
    heartbeatMs: 60_000,
    ...changes,
  })
  const fetch = async (request: Request): Promise<Response> => await app.fetch(request)

  let contract: Promise<Contract> | undefined
  async function openDocument(): Promise<Contract> {
    const document = (await (await fetch(new Request(`${origin}/openapi.json`))).json()) as object
    return await openContract(document, { baseUrl: origin })
  }

  async function ask(what: string, { json, token, headers = {}, text }: Asking = {}): Promise<Answer> {
    const [method = '', path = ''] = what.split(' ')
    const request = new Request(`${origin}${path}`, {
      method,
      headers: {
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: json === undefined ? text : JSON.stringify(json),
    })
    const sent = { method, url: request.url, headers: request.headers, body: await bytesOf(request.clone()) }
    const response = await fetch(request)
    const { status } = response
    const answered = { status, headers: response.headers, body: await bytesOf(response.clone()) }

    const openApi = await (contract ??= openDocument())
    // What is refused need not be as the document wants it; everything else does, and so does every answer.
    const violations = [
      ...(status < 400 ? openApi.checkRequest(sent).violations : []),
      ...openApi.checkResponse(sent, answered),
    ]
    if (violations.length > 0) throw new Error(`${what} ${status}:\n${renderViolations(violations)}`)

    const isJson = response.headers.get('content-type')?.startsWith('application/json')
    return { status, headers: response.headers, body: isJson ? await response.json() : undefined }
  }

  return { shop, ask, fetch, logged }
}

/** A user who is signed in, with the token of the session. */
export async function signedIn(shop: Shop, email = 'ada@example.com'): Promise<{ user: User; token: string }> {
  const user = await given.insert('user', 'withCard', { email })
  const { token } = await shop.sessions.start(user)
  return { user, token }
}

async function bytesOf(message: Request | Response): Promise<Uint8Array | undefined> {
  return message.body === null ? undefined : new Uint8Array(await message.arrayBuffer())
}
