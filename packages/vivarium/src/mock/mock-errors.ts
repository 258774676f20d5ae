import type { CallSite } from '../core/call-site.ts'
import type { Difference } from '../core/differences.ts'
import { printDifference } from '../core/differences.ts'
import { VivariumError, type ErrorCode } from '../core/errors.ts'
import { nearestName } from '../core/nearest-name.ts'
import type { SandboxOwner } from '../core/owner.ts'
import { printCall, printShort } from '../core/print-value.ts'
import { indentText, wrapText } from '../core/wrap-text.ts'
import type { Call } from './call.ts'
import type { RuntimeContract, Violation } from './contract.ts'
import { fullName, type MockDefinition, shortName } from './definition.ts'
import { argumentDifferences, type Decision, type ExpectedCalls, type FunctionBook } from './function-book.ts'

/** So many calls are listed; of more, how many. */
const shownCalls = 5
/** Columns of a message: a terminal's, less the number that it gets in a list of failures. */
const width = 76
/** Columns that are left to a call, which stands further in. */
const room = 68

/** A call that is refused, and the book by which it was judged. */
export interface RefusedCall {
  readonly definition: MockDefinition
  readonly fn: string
  readonly args: readonly unknown[]
  readonly owner: SandboxOwner
  readonly book: FunctionBook
}

export function callUnexpected(
  call: RefusedCall,
  decision: Exclude<Decision, { kind: 'expected' | 'stubbed' }>,
): VivariumError {
  const name = fullName(call.definition, call.fn)
  const shown = [titled('called with:', callLine(call))]
  // The call itself has been recorded already.
  const before = call.book.judged.slice(0, -1)
  const { title } = call.owner
  switch (decision.kind) {
    case 'differs':
      shown.push(...nearest(call, decision.next), arrived('calls before it', before))
      return refusal(
        call,
        `${name} was called, but another call was expected next.`,
        shown,
        'Change what is expected, or repair the application.',
      )
    case 'forbidden':
      shown.push(titled(`forbidden at ${decision.by.site.text}`), arrived('calls before it', before))
      return refusal(call, `${name} was called, which is forbidden.`, shown, 'Repair the application, or forbid less.')
    case 'too-many':
      shown.push(titled('all that was expected has come:', ...call.book.expected.map((one) => expectedLine(call, one))))
      return refusal(
        call,
        `${name} was called once more than expected.`,
        shown,
        'Expect one more (`.times(…)`), stub the rest after the expectation, or repair the application.',
      )
    case 'unknown': {
      const what = `${name} was called, and nothing was said about it.`
      const elsewhere = [...call.definition.usedIn]
        .filter((owner) => owner !== call.owner)
        .map((owner) => `"${owner.title}"`)
      if (elsewhere.length === 0) {
        return refusal(
          call,
          what,
          shown,
          'Expect the call before it comes (`mock.expect`), answer any number of them (`mock.stub`), or repair the application.',
        )
      }
      shown.push(titled(`made in sandbox "${title}"; something was said in ${elsewhere.join(', ')}`))
      return refusal(
        call,
        what,
        shown,
        'A flow that began outside the test (a worker, a listener) is not a part of it: bind what it calls with `mock.allow(fn)`.',
      )
    }
  }
}

function refusal(call: RefusedCall, what: string, shown: readonly string[], remedy: string): VivariumError {
  return mockError('MOCK_CALL_UNEXPECTED', {
    what,
    seen: [`in sandbox "${call.owner.title}"`, ...shown],
    remedy: `${remedy} Such a call fails its test also where the application caught the error.`,
  })
}

/** The expectation that comes nearest to a call, and where the two differ. */
function nearest(call: RefusedCall, next: ExpectedCalls): readonly string[] {
  const open = call.book.unmet.map((one) => ({ one, found: argumentDifferences(one, call.args) }))
  const best = open.toSorted((a, b) => a.found.length - b.found.length)[0] ?? { one: next, found: [] }
  const expected = titled(`expected next, at ${next.site.text}:`, printExpected(call, next))
  if (best.one === next) return [expected, differing('difference:', best.found)]
  const title = `nearest is one expected later, at ${best.one.site.text}:`
  const later = titled(title, printExpected(call, best.one))
  return best.found.length === 0
    ? [expected, titled(`it is the one expected later, at ${best.one.site.text}`)]
    : [expected, later, differing('difference from that:', best.found)]
}

function differing(title: string, found: readonly Difference[]): string {
  const shown = found.slice(0, shownCalls).map((one) => printDifference(one))
  const more = found.length - shown.length
  return titled(title, ...shown, ...(more > 0 ? [`and ${more} more`] : []))
}

export function callsMissing(
  owner: SandboxOwner,
  definition: MockDefinition,
  books: readonly (readonly [string, FunctionBook])[],
): VivariumError {
  const unmet = books.flatMap(([fn, book]) => book.unmet.map((one) => ({ fn, one })))
  const count = unmet.reduce((sum, { one }) => sum + one.count - one.came, 0)
  const calls = books
    .filter(([, book]) => book.unmet.length > 0)
    .flatMap(([, book]) => book.judged)
    .toSorted((a, b) => a.order - b.order)
  const error = mockError('MOCK_CALL_MISSING', {
    what: `${definition.name}: ${count === 1 ? 'an expected call' : `${count} expected calls`} did not come.`,
    seen: [
      `in sandbox "${owner.title}"`,
      ...unmet.map(({ fn, one }) =>
        titled(`${timesOf(one)} at ${one.site.text}:`, printExpected({ definition, fn }, one)),
      ),
      arrived('calls that came', calls),
    ],
    remedy: 'Look why the application did not make the call, or take the expectation out.',
  })
  return unmet[0] === undefined ? error : shownAt(error, unmet[0].one.site)
}

export function callTimeout(call: Omit<RefusedCall, 'args'>, expected: ExpectedCalls, ms: number): VivariumError {
  return mockError('MOCK_CALL_TIMEOUT', {
    what: `${fullName(call.definition, call.fn)} was not called as expected within ${ms} ms.`,
    seen: [
      `in sandbox "${call.owner.title}"`,
      titled(`${timesOf(expected)} at ${expected.site.text}:`, printExpected(call, expected)),
      arrived('calls that came', call.book.judged),
    ],
    remedy: 'Give it longer (`called({ within })`), or look why the application did not make the call.',
  })
}

function pendingLines(pending: readonly Call[]): readonly string[] {
  return pending.map(({ observed: { mock, fn, args } }) => printCall(`${mock}: ${fn}`, args, room))
}

export function callsPending(owner: SandboxOwner, pending: readonly Call[], ms: number): VivariumError {
  return mockError('MOCK_CALL_PENDING', {
    what: `${pending.length === 1 ? 'A call of a double' : `${pending.length} calls of doubles`} had not ended when the sandbox closed.`,
    seen: [
      `in sandbox "${owner.title}", after ${ms} ms more`,
      titled('what was returned has not settled:', ...pendingLines(pending)),
    ],
    remedy:
      'Await what the application does before the test ends; let a stub that never answers be rejected in the end.',
  })
}

export function checksPending(owner: SandboxOwner, pending: readonly Call[], ms: number): VivariumError {
  return mockError('MOCK_CALL_PENDING', {
    what: `A contract's check of ${pending.length === 1 ? 'a call' : `${pending.length} calls`} had not ended when the sandbox closed.`,
    seen: [`in sandbox "${owner.title}", after ${ms} ms more`, titled('not yet checked:', ...pendingLines(pending))],
    remedy: 'Let the schema answer sooner, or give the mock more time (`settleMs`).',
  })
}

/** A schema threw, or what it returned was rejected. */
export function checkFailed(call: Omit<RefusedCall, 'book'>, cause: unknown): VivariumError {
  return judgeFailed('MOCK_CONTRACT_BROKEN', call, cause, {
    what: `A call of ${fullName(call.definition, call.fn)} could not be checked: a schema of its contract threw.`,
    remedy: 'Repair the schema: it tells by its issues what is wrong, and does not throw, whatever it is given.',
  })
}

/** A matcher threw. */
export function matcherFailed(call: Omit<RefusedCall, 'book'>, cause: unknown): VivariumError {
  return judgeFailed('CONFIG_INVALID', call, cause, {
    what: `A call of ${fullName(call.definition, call.fn)} could not be compared with what is expected: a matcher threw.`,
    remedy: 'Repair the matcher: it returns false for what it does not accept, and does not throw.',
  })
}

function judgeFailed(
  code: ErrorCode,
  call: Omit<RefusedCall, 'book'>,
  cause: unknown,
  { what, remedy }: Pick<MockReport, 'what' | 'remedy'>,
): VivariumError {
  const seen = [
    `in sandbox "${call.owner.title}"`,
    titled('called with:', callLine(call)),
    titled('thrown:', printShort(cause, room)),
  ]
  return mockError(code, { what, seen, remedy, cause })
}

/** Who broke a contract. */
export type Blamed = 'call' | 'answer'

export function contractBroken(
  call: Omit<RefusedCall, 'book'>,
  blamed: Blamed,
  broken: readonly Violation[],
  answeredAt: CallSite | undefined,
): VivariumError {
  const name = fullName(call.definition, call.fn)
  const rules = broken.map(({ path, value, rule }) => `${path}: ${rule}\n  it is ${printShort(value, 60)}`)
  const isCall = blamed === 'call'
  const error = mockError('MOCK_CONTRACT_BROKEN', {
    what: isCall
      ? `The application called ${name} against its contract.`
      : `The test's own answer to ${name} is against the contract.`,
    seen: [
      `in sandbox "${call.owner.title}"`,
      titled('called with:', callLine(call)),
      ...(answeredAt === undefined ? [] : [titled(`answered by what was said at ${answeredAt.text}`)]),
      titled('broken:', ...rules),
    ],
    remedy: isCall
      ? 'Repair the application: the real one would refuse this call. Where it would not, repair the contract.'
      : 'Repair the stub, or the answer of the expectation: the real one never answers so. Where it does, repair the contract.',
  })
  return isCall || answeredAt === undefined ? error : shownAt(error, answeredAt)
}

export function answerMissing(call: RefusedCall, expected: ExpectedCalls): VivariumError {
  return mockError('MOCK_ANSWER_MISSING', {
    what: `${fullName(call.definition, call.fn)} was called as expected, and has no answer.`,
    seen: [
      `in sandbox "${call.owner.title}"`,
      titled(`expected at ${expected.site.text}:`, printExpected(call, expected)),
    ],
    remedy:
      'Give the expectation its answer (`.resolves(…)`, `.rejects(…)`, `.returns(…)`, `.throws(…)`, `.answers(…)`), or the function a stub.',
  })
}

export function functionUnknown(
  { name }: Pick<MockDefinition, 'name'>,
  contract: RuntimeContract,
  fn: string,
): VivariumError {
  const near = nearestName(fn, contract.names)
  return mockError('MOCK_FUNCTION_UNKNOWN', {
    what: `The contract of mock "${name}" has no function "${fn}".`,
    seen: [`it has ${contract.names.join(', ')}`],
    remedy: near === undefined ? 'Use one of these, or complete the contract.' : `Did you mean "${near}"?`,
  })
}

export function noSandbox(action: string): VivariumError {
  return mockError('NO_SANDBOX', {
    what: `Cannot ${action}: no sandbox is open here.`,
    seen: undefined,
    remedy:
      'Use doubles inside a test or a hook, not while a file loads: what is said of them, and what they were called with, belongs to a test.',
  })
}

export function calledAfterClose(
  definition: MockDefinition,
  fn: string,
  owner: SandboxOwner,
  args: readonly unknown[],
): VivariumError {
  return mockError('SANDBOX_CLOSED', {
    what: `${fullName(definition, fn)} was called after its sandbox had closed.`,
    seen: [`in sandbox "${owner.title}"`, titled('called with:', callLine({ definition, fn, args }))],
    remedy: 'Await everything the test starts before it ends: `await expectation.called()` waits for a call.',
  })
}

export function flowRefused(definition: MockDefinition, owner: SandboxOwner, other: SandboxOwner): VivariumError {
  return mockError('MOCK_FLOW_REFUSED', {
    what: `A flow with expectations of its own for ${definition.name} cannot be a part of another sandbox.`,
    seen: [`the flow is of sandbox "${other.title}"`, `it was allowed to sandbox "${owner.title}"`],
    remedy:
      'Call what `mock.allow(fn)` returned from a flow that belongs to no test, or expect the calls in one of the two.',
  })
}

function timesOf({ count, came }: ExpectedCalls): string {
  const times = (number: number): string => (number === 1 ? 'once' : `${number} times`)
  return `${came === 0 ? 'never called' : `called ${times(came)}`}, expected ${times(count)}`
}

function callLine({ definition, fn, args }: Pick<RefusedCall, 'definition' | 'fn' | 'args'>): string {
  return printCall(shortName(definition, fn), args, room)
}

function printExpected({ definition, fn }: Pick<RefusedCall, 'definition' | 'fn'>, { args }: ExpectedCalls): string {
  const name = shortName(definition, fn)
  return args === undefined ? `${name}(…), whatever the arguments` : printCall(name, args, room)
}

function expectedLine(call: RefusedCall, one: ExpectedCalls): string {
  return `${printExpected(call, one)}\n  ${timesOf(one)} at ${one.site.text}`
}

function arrived(title: string, calls: readonly Call[]): string {
  if (calls.length === 0) return `${title}: none`
  const last = calls.slice(-shownCalls)
  const lines = last.map(({ observed: { fn, args } }) => printCall(fn, args, room))
  const earlier = calls.length - last.length
  return titled(`${title}:`, ...(earlier > 0 ? [`${earlier} earlier ones`] : []), ...lines)
}

/** A line, and further in what belongs to it. */
function titled(title: string, ...lines: readonly string[]): string {
  return [title, ...lines.map((line) => indentText(line.trimEnd(), '  '))].join('\n')
}

/** Where a runner shows the code that an error is about, it shows that of `site`. */
function shownAt(error: VivariumError, site: CallSite): VivariumError {
  error.stack = `${error.name}: ${error.message}\n${site.frames}`
  return error
}

interface MockReport {
  readonly what: string
  readonly seen: readonly string[] | undefined
  readonly remedy: string
  readonly cause?: unknown
}

function mockError(code: ErrorCode, { what, seen, remedy, cause }: MockReport): VivariumError {
  const [first = '', ...rest] = seen ?? []
  return new VivariumError(code, {
    what: wrapText(what, width),
    seen: seen && wrapText([first, ...rest.map((text) => indentText(text, '    '))].join('\n'), width),
    remedy: wrapText(`  What to do: ${remedy}`, width).replace(/^ {2}What to do: /, ''),
    cause,
  })
}
