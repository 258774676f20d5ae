import { randomUUID } from 'node:crypto'
import type { Difference } from '../core/differences.ts'
import type { VivariumError } from '../core/errors.ts'
import type { InjectedFault } from '../core/injected-fault.ts'
import type { ObservedRequest } from '../core/interactions.ts'
import type { SandboxOwner } from '../core/owner.ts'
import { type Answer, answerOfResponse, type ContractExample, type PlainAnswer, plainAnswer } from './answer.ts'
import { behave, type Outgoing } from './behave.ts'
import { breakRequest, strikeOf } from './break-request.ts'
import { isBehaviour } from './behaviours.ts'
import { HttpPart } from './http-part.ts'
import { handlerFailed, refusalText, type Unexpected } from './messages.ts'
import { isPassthrough } from './msw-handler.ts'
import { type ReceivedRequest, toFetchRequest } from './received-request.ts'
import type { Rule } from './rule.ts'
import { allowedAnswer, brokenByRequest, exampleAnswer } from './service-contract.ts'
import type { ServiceDefinition } from './service-definition.ts'

/** A request that has come, and everything that its answer depends on. */
export interface Arrival {
  readonly owner: SandboxOwner
  readonly received: ReceivedRequest
  readonly observed: ObservedRequest
  readonly service: ServiceDefinition | undefined
  /** Notes that a fault breaks it. */
  broken(fault: InjectedFault): void
}

/** What one rule makes of a request: an answer, or nothing, and the next one is asked. */
type Tried = Outgoing | Unexpected | undefined

/** The answer to a request by the rules of its sandbox, in the state that its service is in. Never rejects. */
export async function answerRequest(arrival: Arrival): Promise<Outgoing> {
  const part = HttpPart.of(arrival.owner)
  const { service, received, observed } = arrival
  let broken: VivariumError | undefined
  try {
    broken = await brokenByRequest(service, received, observed)
  } catch (error) {
    return answerFailed(arrival, undefined, error)
  }
  if (broken !== undefined) {
    part.break(broken)
    return answered(refusal(400, broken.code, broken.message))
  }
  const usual = (): Promise<Outgoing> => answerInCondition(arrival, part)
  const strike = strikeOf(arrival)
  if (strike === undefined) return usual()
  arrival.broken(strike.injected)
  return breakRequest(strike, usual)
}

/** By the rules of the sandbox, in the state that the service is in. */
function answerInCondition(arrival: Arrival, part: HttpPart): Promise<Outgoing> {
  const { service } = arrival
  const byRules = (): Promise<Outgoing> => answerByRules(arrival, part)
  const condition =
    service &&
    HttpPart.serving(arrival.owner)
      .map((one) => one.conditionOf(service.baseUrl.href))
      .find((one) => one !== undefined)
  if (condition?.behaviour === undefined) return byRules()
  return behave(condition.behaviour, part.failed, byRules)
}

async function answerByRules(arrival: Arrival, part: HttpPart): Promise<Outgoing> {
  const found = await findAnswer(arrival).catch((error: unknown) => answerFailed(arrival, undefined, error))
  if ('do' in found) return found
  part.breakUnexpected(found)
  return answered(refusal(501, 'HTTP_REQUEST_UNEXPECTED', refusalText(found)))
}

/**
 * The sandbox's own rules first, then those of the ones around it. Of each: expectations in order, denials, stubs from the last one
 * on. Where an expectation is used up, only a stub that was made after it serves. No stub serves what is denied here or in a sandbox
 * around, except one of the same request made after the denial.
 */
async function findAnswer(arrival: Arrival): Promise<Outgoing | Unexpected> {
  let nearest: { rule: Rule; differences: readonly Difference[] } | undefined
  const parts = HttpPart.serving(arrival.owner)
  for (const [index, part] of parts.entries()) {
    let usedUp: Rule | undefined
    const expectations = part.rules.filter((rule) => rule.kind === 'expect' && !rule.denies)
    const denials = part.rules.filter((rule) => rule.denies)
    const stubs = part.rules.filter(({ kind }) => kind === 'stub').reverse()
    for (const rule of [...expectations, ...denials, ...stubs]) {
      const differences = await compare(rule, arrival)
      if (differences.length > 0) {
        if (isNearer({ rule, differences }, nearest)) nearest = { rule, differences }
        continue
      }
      if (usedUp !== undefined && rule.kind === 'stub' && rule.number < usedUp.number) continue
      if (rule.denies && (await isLifted(rule, parts.slice(0, index + 1), arrival))) continue
      const denial = rule.kind === 'stub' ? await denialAround(parts, index, arrival) : undefined
      if (denial !== undefined) return denied(denial, arrival)
      const tried = await tryRule(rule, arrival)
      if (tried === 'used up') usedUp = rule
      else if (tried !== undefined) return tried
    }
    if (usedUp !== undefined) return { request: arrival.observed, why: 'too often', rule: usedUp, differences: [] }
  }
  if (HttpPart.serving(arrival.owner).some((part) => part.passing.has(arrival.service?.baseUrl.href ?? ''))) {
    return { do: 'forward' }
  }
  const near = nearest !== undefined && isNear(nearest.differences) ? nearest : undefined
  return { request: arrival.observed, why: 'unknown', rule: near?.rule, differences: near?.differences ?? [] }
}

async function compare(rule: Rule, { received, observed }: Arrival): Promise<readonly Difference[]> {
  try {
    return await rule.compare(received)
  } catch (error) {
    throw handlerFailed(observed, rule, error)
  }
}

/** A denial in the sandboxes around number `index`. */
async function denialAround(parts: readonly HttpPart[], index: number, arrival: Arrival): Promise<Rule | undefined> {
  for (let around = index + 1; around < parts.length; around++) {
    for (const rule of parts[around]!.rules) {
      if (!rule.denies || (await compare(rule, arrival)).length > 0) continue
      if (!(await isLifted(rule, parts.slice(0, around + 1), arrival))) return rule
    }
  }
  return undefined
}

/** Whether a stub of the same request was made after a denial, which is in the last of the parts. */
async function isLifted(denial: Rule, parts: readonly HttpPart[], arrival: Arrival): Promise<boolean> {
  const last = parts.at(-1)
  for (const part of parts) {
    for (const rule of part.rules) {
      if (rule.kind !== 'stub' || rule.service !== denial.service || rule.title !== denial.title) continue
      if (part === last && rule.number < denial.number) continue
      if ((await compare(rule, arrival)).length === 0) return true
    }
  }
  return false
}

function denied(rule: Rule, { observed }: Arrival): Unexpected {
  return { request: observed, why: rule.kind === 'deny' ? 'denied' : 'too often', rule, differences: [] }
}

/** Keeps what went wrong in making an answer, and tells the application. */
function answerFailed({ owner, observed }: Arrival, rule: Rule | undefined, error: unknown): Outgoing {
  const failure = handlerFailed(observed, rule, error)
  // Of an answer that nobody waits for any more, it does not matter how it ended.
  if (observed.durationMs === undefined) HttpPart.of(owner).break(failure)
  return answered(refusal(500, failure.code, failure.message))
}

async function tryRule(rule: Rule, arrival: Arrival): Promise<Tried | 'used up'> {
  const { observed, received } = arrival
  if (rule.denies) return denied(rule, arrival)
  if (!rule.claim()) return 'used up'
  const index = rule.arrived.length
  rule.take(observed)
  if (rule.after !== undefined && !rule.after.isMet) {
    return { request: observed, why: 'out of order', rule, differences: [] }
  }
  try {
    if (rule.target.by === 'pattern') return await resolveAnswer(rule.answerTo(index), rule, arrival)
    const { handler, baseUrl } = rule.target
    const request = toFetchRequest(received)
    const result = await handler.run({ request, requestId: randomUUID(), resolutionContext: { baseUrl } })
    if (result?.response === undefined) {
      rule.giveBack(observed)
      return undefined
    }
    if (isPassthrough(result.response)) return { do: 'forward' }
    return await resolveAnswer(result.response, rule, arrival)
  } catch (error) {
    return answerFailed(arrival, rule, error)
  }
}

async function resolveAnswer(
  answer: Answer | ContractExample | undefined,
  rule: Rule,
  arrival: Arrival,
): Promise<Outgoing> {
  const { service, received } = arrival
  const allowed = async (plain: PlainAnswer): Promise<Outgoing> =>
    answered(await allowedAnswer(service, received, plain, rule))
  if (answer === undefined) {
    return service?.contract === undefined
      ? allowed(plainAnswer({}))
      : resolveAnswer({ example: undefined }, rule, arrival)
  }
  if (typeof answer === 'function') return resolveAnswer(await answer(toFetchRequest(received)), rule, arrival)
  if (answer instanceof Response) return answer.type === 'error' ? { do: 'reset' } : allowed(answerOfResponse(answer))
  if ('example' in answer) return answered(await exampleAnswer(service, received, answer.example))
  if (!isBehaviour(answer)) return allowed(plainAnswer(answer))
  const inner = 'answer' in answer ? answer.answer : undefined
  return behave(answer, HttpPart.of(arrival.owner).failed, () => resolveAnswer(inner, rule, arrival))
}

/** An answer of Vivarium's own, in a form that many clients show; they are asked not to retry (the header is Stripe's). */
function refusal(status: number, code: string, message: string): PlainAnswer {
  const headers = { 'stripe-should-retry': 'false' }
  return plainAnswer({ status, headers, json: { error: { type: 'vivarium', code, message } } })
}

function answered(answer: PlainAnswer): Outgoing {
  return { do: 'answer', answer, afterMs: 0, cut: undefined }
}

function isNearer(
  one: { rule: Rule; differences: readonly Difference[] },
  other: { rule: Rule; differences: readonly Difference[] } | undefined,
): boolean {
  return other === undefined || distance(one.differences) < distance(other.differences)
}

/** A wrong method or path weighs more than anything in the body. */
function distance(differences: readonly Difference[]): number {
  const weights: Readonly<Record<string, number>> = { origin: 400, path: 100, method: 100, request: 150 }
  return differences.reduce((sum, { path }) => sum + (weights[path] ?? 1), 0)
}

/** Near enough to be worth telling: one of method and path is the same. */
function isNear(differences: readonly Difference[]): boolean {
  return distance(differences) < 200
}
