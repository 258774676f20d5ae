import { type CallSite, callSiteOf } from '../core/call-site.ts'
import { startWait } from '../core/awaited.ts'
import { VivariumError } from '../core/errors.ts'
import type { ObservedRequest } from '../core/interactions.ts'
import { countAt } from '../core/options.ts'
import { findOwner, type SandboxOwner } from '../core/owner.ts'
import type { Answer } from './answer.ts'
import type { Behaviour } from './behaviours.ts'
import { HttpPart } from './http-part.ts'
import { intercept } from './intercept/interception.ts'
import { notReceived } from './messages.ts'
import { isRequestHandler, type RequestHandlerLike } from './msw-handler.ts'
import { readPattern, type RequestCriteria } from './request-pattern.ts'
import type { Rule, RuleKind, RuleTarget } from './rule.ts'
import type { ExpectedRequest, Service, StubbedRequest } from './service.ts'
import { noContract } from './service-contract.ts'
import type { ServiceDefinition } from './service-definition.ts'

/** A service, as the sandbox of each flow knows it. */
export class DefinedService implements Service {
  readonly #definition: ServiceDefinition

  constructor(definition: ServiceDefinition) {
    this.#definition = definition
  }

  get name(): string {
    return this.#definition.name
  }

  get baseUrl(): string {
    return this.#definition.baseUrl.href
  }

  expect(request: string | RequestHandlerLike, criteria?: RequestCriteria): ExpectedRequest {
    return this.#add('expect', request, criteria, callSiteOf(this.expect))
  }

  stub(request: string | RequestHandlerLike, criteria?: RequestCriteria): StubbedRequest {
    return this.#add('stub', request, criteria, callSiteOf(this.stub))
  }

  stubAll(handlers: readonly RequestHandlerLike[]): void {
    const definedAt = callSiteOf(this.stubAll)
    for (const handler of handlers.toReversed()) this.#add('stub', handler, undefined, definedAt)
  }

  stubFromContract(request = '* /*', { status }: { status?: number } = {}): StubbedRequest {
    if (this.#definition.contract === undefined) throw noContract(this.name)
    const handle = this.#add('stub', request, undefined, callSiteOf(this.stubFromContract))
    handle.rule.answers = [{ example: status }]
    return handle
  }

  deny(request: string | RequestHandlerLike, criteria?: RequestCriteria): void {
    this.#add('deny', request, criteria, callSiteOf(this.deny))
  }

  becomes(behaviour: Behaviour): void {
    // A copy: that it has failed once is a matter of this sandbox.
    HttpPart.of(this.#owner(`let ${this.name} be ${behaviour.behaves}`)).setCondition(this.baseUrl, { ...behaviour })
  }

  recovers(): void {
    HttpPart.of(this.#owner(`let ${this.name} recover`)).setCondition(this.baseUrl, undefined)
  }

  passThrough(): void {
    HttpPart.of(this.#owner(`let requests pass to ${this.name}`)).passing.add(this.baseUrl)
  }

  async listen(): Promise<{ readonly url: string }> {
    const owner = this.#owner(`listen for ${this.name}`)
    const { server } = intercept()
    const port = await server.listening
    HttpPart.of(owner)
    const { path, close } = server.openDoor({ owner, baseUrl: this.#definition.baseUrl })
    owner.own(`the server of ${this.name}`, close)
    return { url: `http://127.0.0.1:${port}${path}` }
  }

  #add(
    kind: RuleKind,
    request: string | RequestHandlerLike,
    criteria: RequestCriteria | undefined,
    definedAt: CallSite,
  ): RuleHandle {
    const owner = this.#owner(`${kind} a request to ${this.name}`)
    intercept()
    const rule = HttpPart.of(owner).addRule({
      kind,
      service: this.name,
      definedAt,
      target: targetOf(request, criteria, this.#definition.baseUrl),
    })
    return new RuleHandle(rule, owner)
  }

  #owner(action: string): SandboxOwner {
    const owner = findOwner()
    if (owner === undefined) {
      throw new VivariumError('NO_SANDBOX', {
        what: `Cannot ${action}: no sandbox is open here.`,
        remedy: 'Say it inside a test or a hook (beforeAll: for all tests of the file), not while the file loads.',
      })
    }
    owner.assertOpen(action)
    return owner
  }
}

function targetOf(
  request: string | RequestHandlerLike,
  criteria: RequestCriteria | undefined,
  baseUrl: URL,
): RuleTarget {
  if (isRequestHandler(request)) return { by: 'handler', handler: request, baseUrl: baseUrl.href }
  return { by: 'pattern', pattern: readPattern(request, criteria ?? {}, baseUrl) }
}

/** One expectation or stub, in the hands of a test. */
export class RuleHandle implements ExpectedRequest {
  readonly rule: Rule
  readonly #owner: SandboxOwner

  constructor(rule: Rule, owner: SandboxOwner) {
    this.rule = rule
    this.#owner = owner
  }

  get requests(): readonly ObservedRequest[] {
    return this.rule.arrived
  }

  replies(...answers: readonly Answer[]): this {
    this.#owner.assertOpen(`answer ${this.rule.title}`)
    this.rule.answers = answers
    return this
  }

  times(count: number): this {
    this.#owner.assertOpen(`expect ${this.rule.title} ${count} times`)
    this.rule.wanted = countAt(count, 'times', this.rule.title, 0) ?? 1
    return this
  }

  received({ within = 1000 }: { within?: number } = {}): Promise<readonly ObservedRequest[]> {
    const { rule } = this
    return startWait({
      within,
      look: () => (rule.isMet ? rule.arrived : undefined),
      late: () => {
        throw notReceived(rule, within, HttpPart.of(this.#owner).requests)
      },
      follow: (changed) => rule.follow(changed),
    }).outcome
  }
}
