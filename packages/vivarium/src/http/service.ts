import { VivariumError } from '../core/errors.ts'
import type { ObservedRequest } from '../core/interactions.ts'
import { refuseUnknownKeys } from '../core/options.ts'
import type { Answer } from './answer.ts'
import type { Behaviour } from './behaviours.ts'
import { DefinedService, type RuleHandle } from './defined-service.ts'
import { intercept } from './intercept/interception.ts'
import type { RequestHandlerLike } from './msw-handler.ts'
import type { RequestCriteria } from './request-pattern.ts'
import type { ServiceContract } from './service-contract.ts'
import { addService, type ServiceDefinition } from './service-definition.ts'

/** A request that may come, and what it is answered. */
export interface StubbedRequest {
  /** What it is answered: the first time the first, then the next; the last one serves from then on. */
  replies(...answers: readonly Answer[]): this
  /** The requests that have come so far. */
  readonly requests: readonly ObservedRequest[]
}

/** A request that must come, and what it is answered. */
export interface ExpectedRequest extends StubbedRequest {
  /** How often it must come; 0 is a denial that is used up by nothing. @default 1 */
  times(count: number): this
  /**
   * Resolves with its requests once it has come as often as expected, for what happens in the background. Rejects with
   * `HTTP_REQUEST_MISSING` after `within` milliseconds. @param options.within default 1000
   */
  received(options?: { within?: number }): Promise<readonly ObservedRequest[]>
}

/** An HTTP service that the application uses; everything done to it belongs to the sandbox in which it is done. */
export interface Service {
  readonly name: string
  readonly baseUrl: string
  /** A request that must come; a handler of MSW answers by itself. */
  expect(request: string, criteria?: RequestCriteria): ExpectedRequest
  expect(handler: RequestHandlerLike): ExpectedRequest
  /** A request that may come. The last one that matches serves. */
  stub(request: string, criteria?: RequestCriteria): StubbedRequest
  stub(handler: RequestHandlerLike): StubbedRequest
  /** Handlers of MSW as they stand in a project: of several that match, the first serves. */
  stubAll(handlers: readonly RequestHandlerLike[]): void
  /**
   * Answers requests that may come, all of them unless one is named, with valid examples out of the service's contract: for what a test does
   * not care about. @param options.status default: the lowest successful one of the operation
   */
  stubFromContract(request?: string, options?: { status?: number }): StubbedRequest
  /** A request that must not come, though others like it may. No stub serves it, except one of the same request made later. */
  deny(request: string, criteria?: RequestCriteria): void
  deny(handler: RequestHandlerLike): void
  /** From now on the whole service behaves so: `stripe.becomes(down())`. */
  becomes(behaviour: Behaviour): void
  /** From now on the service is well. */
  recovers(): void
  /** From now on requests that nothing here answers go to the service itself. */
  passThrough(): void
  /** A URL for an application in another process, which leads to this service in this sandbox until that closes. */
  listen(): Promise<{ readonly url: string }>
}

/** Options of {@link defineService}. */
export interface DefineServiceOptions {
  /** An opened OpenAPI document: each request of the application and each answer is checked against it. */
  contract?: ServiceContract | Promise<ServiceContract>
}

/**
 * An HTTP service of somebody else. From now on requests of this process to other machines are answered by what a sandbox says of its
 * services, and one that nothing allows fails its test.
 *
 * @example
 * ```ts
 * import { expect, test } from 'vitest'
 * import { defineService } from 'vivarium/http'
 *
 * const stripe = defineService('Stripe', 'https://api.stripe.com')
 *
 * test('a charge is made once', async () => {
 *   stripe.expect('POST /v1/charges', { form: { amount: 10_000, currency: 'usd' } }).replies({ json: { id: 'ch_123' } })
 *   const body = new URLSearchParams({ amount: '10000', currency: 'usd' })
 *   const response = await fetch('https://api.stripe.com/v1/charges', { method: 'POST', body })
 *   expect(await response.json()).toEqual({ id: 'ch_123' })
 * })
 * ```
 */
export function defineService(name: string, baseUrl: string, options: DefineServiceOptions = {}): Service {
  if (!URL.canParse(baseUrl) || !/^https?:/.test(baseUrl)) throw invalidUrl(name, baseUrl)
  refuseUnknownKeys(options, ['contract'], '', `defineService('${name}')`)
  const { contract } = options
  // Told when it is needed: nobody looks at the promise before.
  void Promise.resolve(contract).catch(() => undefined)
  const definition: ServiceDefinition = {
    name,
    baseUrl: new URL(baseUrl),
    contract: contract && (() => Promise.resolve(contract)),
  }
  addService(definition)
  intercept()
  return new DefinedService(definition)
}

/** Lets expectations be met in their order only; they may be of several services. */
export function inOrder(...expectations: readonly ExpectedRequest[]): void {
  expectations.forEach((one, index) => {
    if (index > 0) (one as RuleHandle).rule.after = (expectations[index - 1] as RuleHandle).rule
  })
}

function invalidUrl(name: string, baseUrl: unknown): VivariumError {
  return new VivariumError('CONFIG_INVALID', {
    what: `The URL of service ${name} is not valid.`,
    seen: JSON.stringify(baseUrl) ?? String(baseUrl),
    remedy: "Give its base URL: defineService('Stripe', 'https://api.stripe.com').",
  })
}
