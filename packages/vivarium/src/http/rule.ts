import type { CallSite } from '../core/call-site.ts'
import type { Difference } from '../core/differences.ts'
import type { ObservedRequest } from '../core/interactions.ts'
import type { Answer, ContractExample } from './answer.ts'
import type { RequestHandlerLike } from './msw-handler.ts'
import { type ReceivedRequest, toFetchRequest } from './received-request.ts'
import type { RequestPattern } from './request-pattern.ts'

/** What a rule says of the requests that it matches: they must come, may come, must not come. */
export type RuleKind = 'expect' | 'stub' | 'deny'

/** The requests that a rule is about, and what they are answered with. */
export type RuleTarget =
  | { readonly by: 'pattern'; readonly pattern: RequestPattern }
  | { readonly by: 'handler'; readonly handler: RequestHandlerLike; readonly baseUrl: string }

/** One expectation, stub or denial of a sandbox. */
export class Rule {
  readonly kind: RuleKind
  readonly service: string
  readonly target: RuleTarget
  readonly definedAt: CallSite
  /** Its place among the rules of its sandbox. */
  readonly number: number
  /** How often the request must come, of an expectation. */
  wanted = 1
  /** Must have been met before this one. */
  after: Rule | undefined
  answers: readonly (Answer | ContractExample)[] = []
  readonly arrived: ObservedRequest[] = []
  readonly #waiting: Set<() => void> = new Set()
  #claimed = 0

  constructor(rule: Pick<Rule, 'kind' | 'service' | 'target' | 'definedAt' | 'number'>) {
    this.kind = rule.kind
    this.service = rule.service
    this.target = rule.target
    this.definedAt = rule.definedAt
    this.number = rule.number
  }

  /** How a message calls the requests that it is about. */
  get title(): string {
    return this.target.by === 'pattern' ? this.target.pattern.text : this.target.handler.info.header
  }

  get isMet(): boolean {
    return this.arrived.length >= this.wanted
  }

  /** Whether its request must not come. */
  get denies(): boolean {
    return this.kind === 'deny' || (this.kind === 'expect' && this.wanted === 0)
  }

  /** Every difference between a request and what it is about; none where it matches. */
  async compare(request: ReceivedRequest): Promise<readonly Difference[]> {
    if (this.target.by === 'pattern') return this.target.pattern.compare(request)
    const { handler, baseUrl } = this.target
    const matches = await handler.test({ request: toFetchRequest(request), resolutionContext: { baseUrl } })
    return matches ? [] : differencesOfHandler(handler, request)
  }

  /** Takes one of the requests that an expectation waits for; `false` when none is left. */
  claim(): boolean {
    if (this.kind === 'expect' && this.#claimed >= this.wanted) return false
    this.#claimed++
    return true
  }

  /** Puts a request down that {@link claim} has taken. */
  take(request: ObservedRequest): void {
    this.arrived.push(request)
    for (const look of this.#waiting) look()
  }

  /** Takes a request back that it has left to other rules after all. */
  giveBack(request: ObservedRequest): void {
    this.#claimed--
    this.arrived.splice(this.arrived.indexOf(request), 1)
  }

  /** The answer to the request number `index`, from 0: the last one serves all that follow. */
  answerTo(index: number): Answer | ContractExample | undefined {
    return this.answers[Math.min(index, this.answers.length - 1)]
  }

  /** Calls `changed` with each request that it takes; returns how to stop. */
  follow(changed: () => void): () => void {
    this.#waiting.add(changed)
    return () => void this.#waiting.delete(changed)
  }
}

/** In what a handler of MSW may not match: what it is asked says no more than that it does not. */
function differencesOfHandler({ info }: RequestHandlerLike, request: ReceivedRequest): readonly Difference[] {
  const found: Difference[] = []
  const { method, path } = info
  if (typeof method === 'string' && method.toUpperCase() !== request.method) {
    found.push({ path: 'method', expected: method, received: request.method })
  }
  const text = typeof path === 'string' ? path.replace(/^https?:\/\/[^/]+/, '') : undefined
  if (text !== undefined && text !== request.url.pathname) {
    found.push({ path: 'path', expected: text, received: request.url.pathname })
  }
  return found.length > 0 ? found : [{ path: 'request', expected: info.header, received: titleOf(request) }]
}

/** `POST https://api.example.com/v1/charges` */
export function titleOf({ method, url }: { readonly method: string; readonly url: string | URL }): string {
  return `${method} ${String(url)}`
}
