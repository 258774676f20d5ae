import { withDeadline } from '../core/clock.ts'
import type { ObservedRequest } from '../core/interactions.ts'
import type { SandboxOwner, SandboxPart } from '../core/owner.ts'
import type { Behaviour } from './behaviours.ts'
import type { Exchange } from './exchange.ts'
import { missing, pending, type Unexpected, unexpected } from './messages.ts'
import { Rule } from './rule.ts'

/** How a whole service is, in one sandbox. */
interface Condition {
  /** The base URL: names need not differ. */
  readonly baseUrl: string
  /** `undefined`: well again, whatever it is in the sandbox around. */
  readonly behaviour: Behaviour | undefined
}

/** How long a closing sandbox waits for requests under way, in milliseconds. */
const settleMs = 1000

/** What one sandbox knows of HTTP: its rules, the state of its services, what came, what is under way. */
export class HttpPart implements SandboxPart {
  readonly rules: Rule[] = []
  /** Base URLs of the services whose requests go to the service itself where no rule answers them. */
  readonly passing: Set<string> = new Set()
  readonly requests: ObservedRequest[] = []
  /** Behaviours that fail once, and have. */
  readonly failed: WeakSet<Behaviour> = new WeakSet()
  /** What is let go of when this sandbox has waited for its requests. */
  readonly whenSettled: Set<() => void> = new Set()
  readonly #owner: SandboxOwner
  readonly #conditions: Condition[] = []
  readonly #underWay: Map<Exchange, ObservedRequest | undefined> = new Map()
  readonly #broken: unknown[] = []
  readonly #unexpected: Unexpected[] = []
  #settled = false

  constructor(owner: SandboxOwner) {
    this.#owner = owner
  }

  /** The owner's part, made where it has none. */
  static of(owner: SandboxOwner): HttpPart {
    return owner.part('http', () => new HttpPart(owner))
  }

  /** The parts that serve a sandbox: its own, then those of the sandboxes around it. */
  static serving(owner: SandboxOwner): readonly HttpPart[] {
    const parts: HttpPart[] = []
    for (let one: SandboxOwner | undefined = owner; one !== undefined; one = one.around) {
      const part = one.knownPart<HttpPart>('http')
      if (part !== undefined) parts.push(part)
    }
    return parts
  }

  addRule(rule: Omit<ConstructorParameters<typeof Rule>[0], 'number'>): Rule {
    const added = new Rule({ ...rule, number: this.rules.length })
    this.rules.push(added)
    return added
  }

  setCondition(baseUrl: string, behaviour: Behaviour | undefined): void {
    this.#conditions.push({ baseUrl, behaviour })
  }

  conditionOf(baseUrl: string): Condition | undefined {
    return this.#conditions.findLast((one) => one.baseUrl === baseUrl)
  }

  /** What is begun from now on comes too late. */
  get isSettled(): boolean {
    return this.#settled
  }

  start(exchange: Exchange): void {
    this.#underWay.set(exchange, undefined)
    void exchange.ended.then(() => this.#underWay.delete(exchange))
  }

  arrive(exchange: Exchange, request: ObservedRequest): void {
    exchange.arrive()
    this.#underWay.set(exchange, request)
    this.requests.push(request)
    this.#owner.recorder.record(request)
  }

  /** Notes a request to a service at which nobody listens. */
  missed(method: string, url: URL, service: string | undefined): void {
    const request: ObservedRequest = {
      component: 'http',
      service,
      method,
      url: url.href,
      headers: {},
      body: undefined,
      status: undefined,
      responseBody: undefined,
      durationMs: 0,
      error: 'the connection was refused',
      at: this.#owner.elapsed(),
    }
    this.requests.push(request)
    this.#owner.recorder.record(request)
  }

  /** A promise that was broken; told when the sandbox closes, or at once where that is over. */
  break(error: unknown): void {
    if (this.#owner.state === 'closed') this.#owner.fail(error)
    else if (!this.#broken.includes(error)) this.#broken.push(error)
  }

  breakUnexpected(seen: Unexpected): void {
    this.#unexpected.push(seen)
  }

  async settle(): Promise<void> {
    await withDeadline(this.#allEnded(), settleMs, () => new Error()).catch(() => undefined)
    this.#settled = true
    for (const [exchange, request] of this.#underWay) {
      // One that never arrived was given up by its client before it was sent.
      if (request !== undefined) this.break(pending(request, settleMs, this.rules))
      exchange.end()
    }
    for (const letGo of this.whenSettled) letGo()
  }

  /** Also what is begun meanwhile. */
  async #allEnded(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all([...this.#underWay.keys()].map(({ ended }) => ended))
  }

  verify(): readonly unknown[] {
    const unmet = this.rules.filter((rule) => rule.kind === 'expect' && !rule.isMet)
    return [...this.#broken, ...unexpected(this.#unexpected), ...unmet.map((rule) => missing(rule, this.requests))]
  }
}
