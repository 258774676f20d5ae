import axios from 'axios'
import got from 'got'
import Stripe from 'stripe'
import { request } from 'undici'

/** What a client made of one request: what its caller sees. */
export type Outcome =
  | { readonly status: number; readonly body: string; readonly retryAfter: string | null }
  | { readonly error: string; readonly code: string | undefined; readonly cause: string | undefined }

/** Makes one request, and gives up after `timeoutMs`. */
export type Client = (baseUrl: string, timeoutMs: number) => Promise<Outcome>

/** Each client that people use, as they use it, with no retries of its own. */
export const clients: Readonly<Record<string, Client>> = {
  fetch: async (baseUrl, timeoutMs) => {
    const response = await fetch(`${baseUrl}/v1/charges/ch_1`, {
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'manual',
    })
    return { status: response.status, body: await response.text(), retryAfter: response.headers.get('retry-after') }
  },
  undici: async (baseUrl, timeoutMs) => {
    const options = { headersTimeout: timeoutMs, bodyTimeout: timeoutMs }
    const { statusCode, body, headers } = await request(`${baseUrl}/v1/charges/ch_1`, options)
    return { status: statusCode, body: await body.text(), retryAfter: one(headers['retry-after']) }
  },
  axios: async (baseUrl, timeoutMs) => {
    const { status, data, headers } = await axios.get<string>(`${baseUrl}/v1/charges/ch_1`, {
      timeout: timeoutMs,
      maxRedirects: 0,
      validateStatus: () => true,
      responseType: 'text',
    })
    return { status, body: data, retryAfter: one(headers['retry-after']) }
  },
  got: async (baseUrl, timeoutMs) => {
    const { statusCode, body, headers } = await got(`${baseUrl}/v1/charges/ch_1`, {
      retry: { limit: 0 },
      timeout: { request: timeoutMs },
      throwHttpErrors: false,
      followRedirect: false,
    })
    return { status: statusCode, body, retryAfter: one(headers['retry-after']) }
  },
  'the Stripe SDK': async (baseUrl, timeoutMs) => {
    const { protocol, hostname, port } = new URL(baseUrl)
    const stripe = new Stripe('sk_test_1', {
      protocol: protocol === 'https:' ? 'https' : 'http',
      host: hostname,
      ...(port === '' ? {} : { port }),
      maxNetworkRetries: 0,
      timeout: timeoutMs,
    })
    const charge = await stripe.charges.retrieve('ch_1')
    return { status: 200, body: charge.id, retryAfter: null }
  },
}

/** Runs a client; what it throws is an outcome as well. */
export async function outcomeOf(client: Client, baseUrl: string, timeoutMs = 10_000): Promise<Outcome> {
  try {
    return await client(baseUrl, timeoutMs)
  } catch (error) {
    const { name, type, message, code, cause } = error as {
      name: string
      type?: string
      message: string
      code?: unknown
      cause?: { code?: unknown }
    }
    // The address differs, and is nothing that a program looks at.
    const said = message.replaceAll(/\b[\w.]+:\d+\b/g, '<address>')
    const text = (value: unknown): string | undefined => (value === undefined ? undefined : String(value))
    return { error: `${type ?? name}: ${said}`, code: text(code), cause: text(cause?.code) }
  }
}

function one(header: unknown): string | null {
  return typeof header === 'string' ? header : null
}
