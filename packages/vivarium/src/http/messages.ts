import { type Difference, printDifference } from '../core/differences.ts'
import { printShort, printValue } from '../core/print-value.ts'
import { type ErrorCode, VivariumError } from '../core/errors.ts'
import type { ObservedRequest } from '../core/interactions.ts'
import { indentText } from '../core/wrap-text.ts'
import type { Rule } from './rule.ts'
import { titleOf } from './rule.ts'

/** A request that nothing allows, and why. */
export interface Unexpected {
  readonly request: ObservedRequest
  readonly why: 'unknown' | 'denied' | 'too often' | 'out of order'
  /** The rule that forbids it; where nothing does, the nearest one. */
  readonly rule: Rule | undefined
  /** In what the nearest rule differs. */
  readonly differences: readonly Difference[]
}

/** What is shown of a body. */
const mostOfBody = 300

/** The errors for requests that nothing allows; one that came again just so is told once. */
export function unexpected(all: readonly Unexpected[]): readonly VivariumError[] {
  const groups = new Map<string, Unexpected[]>()
  for (const one of all) {
    const { method, url, body } = one.request
    const key = JSON.stringify([one.why, method, url, typeof body === 'string' ? body : undefined])
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  return [...groups.values()].map((group) => unexpectedError(group[0]!, group.length))
}

/** The text for the client, whose request nothing allows. */
export function refusalText(one: Unexpected): string {
  return unexpectedError(one, 1).message
}

function unexpectedError(one: Unexpected, count: number): VivariumError {
  const times = count === 1 ? '' : ` (${count} times)`
  return new VivariumError('HTTP_REQUEST_UNEXPECTED', {
    what: `${sentence(one)}${times}:\n${indentText(printRequest(one.request), '    ')}`,
    ...(one.rule === undefined ? {} : { seen: nearestText(one.rule, one) }),
    remedy: remedies[one.why],
  })
}

const remedies: Readonly<Record<Unexpected['why'], string>> = {
  unknown:
    'Say what the service answers, `service.expect(…)` where the request must come or `service.stub(…)` where it may; ' +
    'or repair what made the request.',
  denied: 'Repair what made the request, or take the denial back.',
  'too often': 'Repair what repeats the request, or expect it more often: `.times(n)`.',
  'out of order': 'Repair the order of the requests, or take `inOrder` away where it does not matter.',
}

function sentence({ why, request, rule }: Unexpected): string {
  const service = request.service === undefined ? 'A request' : `A request to ${request.service}`
  switch (why) {
    case 'unknown':
      return `${service} came that nothing expects`
    case 'denied':
      return `${service} came that is denied`
    case 'too often':
      return `${service} came once more than the ${rule!.wanted} expected`
    case 'out of order':
      return `${service} came before ${rule!.after!.title}, which is to come first`
  }
}

function nearestText(rule: Rule, { why, differences }: Unexpected): string {
  const label = why === 'unknown' ? `the nearest is the ${words[rule.kind]}` : words[rule.kind]
  const list = differences.map((one) => indentText(printDifference(one, 68), '      '))
  return [`${label} of ${rule.title} at ${rule.definedAt.text}`, ...list].join('\n')
}

const words = { expect: 'expectation', stub: 'stub', deny: 'denial' } as const

/** The error for an expectation that is not met. */
export function missing(rule: Rule, requests: readonly ObservedRequest[]): VivariumError {
  const came = rule.arrived.length
  const often = rule.wanted === 1 ? '' : ` ${came === 0 ? 'at all' : `often enough`}: ${came} of ${rule.wanted}`
  const others = requests.filter((request) => !rule.arrived.includes(request))
  const list = others
    .slice(0, 10)
    .map((request) => `\n      ${titleOf(request)} → ${outcomeOf(request)}${bodyBelow(request)}`)
  const more = others.length > 10 ? `\n      … ${others.length - 10} more` : ''
  return new VivariumError('HTTP_REQUEST_MISSING', {
    what: `${rule.service}: ${rule.title} did not come${often}.\n    Expected at ${rule.definedAt.text}${criteriaOf(rule)}`,
    seen: others.length === 0 ? 'no other request' : `other requests:${list.join('')}${more}`,
    remedy:
      'Repair what should make the request; await what makes it before the test ends, or await the expectation: ' +
      '`await expectation.received()`.',
  })
}

/** The error for a wait for an expectation that is over. */
export function notReceived(rule: Rule, within: number, requests: readonly ObservedRequest[]): VivariumError {
  const error = missing(rule, requests)
  return new VivariumError('HTTP_REQUEST_MISSING', {
    what: error.what.replace('did not come', `did not come within ${within} ms`),
    ...(error.seen === undefined ? {} : { seen: error.seen }),
    remedy: 'Repair what should make the request, or wait longer: `expectation.received({ within: 5000 })`.',
  })
}

/** The error for a request that a closing sandbox has waited for in vain. */
export function pending(request: ObservedRequest, waitedMs: number, rules: readonly Rule[]): VivariumError {
  const rule = rules.find(({ arrived }) => arrived.includes(request))
  return new VivariumError('HTTP_REQUEST_PENDING', {
    what: `${titleOf(request)} had no answer when its sandbox closed, and ${waitedMs} ms later.`,
    ...(rule === undefined ? {} : { seen: `it is answered by ${rule.title}, defined at ${rule.definedAt.text}` }),
    remedy:
      'Await what made the request before the test ends; a handler that waits for something must come to its end.',
  })
}

/** Errors that say all there is to say. */
const ownCodes: readonly ErrorCode[] = [
  'HTTP_HANDLER_FAILED',
  'HTTP_CONTRACT_BROKEN',
  'CONFIG_INVALID',
  'CONTRACT_INVALID',
  'CONTRACT_UNREADABLE',
  'CONTRACT_NO_EXAMPLE',
]

/** The error for a handler that threw. */
export function handlerFailed(request: ObservedRequest, rule: Rule | undefined, cause: unknown): VivariumError {
  if (cause instanceof VivariumError && ownCodes.includes(cause.code)) return cause
  const whose = rule === undefined ? '' : ` of ${rule.title}, defined at ${rule.definedAt.text},`
  return new VivariumError('HTTP_HANDLER_FAILED', {
    what: `The handler${whose} failed on ${titleOf(request)}.`,
    seen: cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause),
    remedy: 'Repair the handler (its own error is the cause of this one). The application was answered 500.',
    cause,
  })
}

/** `POST https://…` and its body below it. */
function printRequest(request: ObservedRequest): string {
  const { body } = request
  if (body === undefined) return titleOf(request)
  if (typeof body !== 'string') return `${titleOf(request)}\n${body.length} bytes`
  const text = body.length > mostOfBody ? `${body.slice(0, mostOfBody - 1)}…` : body
  return `${titleOf(request)}\n${text}`
}

function bodyBelow({ body }: ObservedRequest): string {
  return body === undefined ? '' : `\n        ${printShort(body, 66)}`
}

/** What the request must have besides, as it was written. */
function criteriaOf({ target }: Rule): string {
  if (target.by === 'handler' || Object.keys(target.pattern.criteria).length === 0) return ''
  return ` with\n${indentText(printValue(target.pattern.criteria, 70), '      ')}`
}

function outcomeOf({ status, error }: ObservedRequest): string {
  return error ?? (status === undefined ? 'no answer yet' : String(status))
}
