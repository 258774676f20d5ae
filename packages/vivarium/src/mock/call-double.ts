import type { CallSite } from '../core/call-site.ts'
import type { Strike } from '../core/faults.ts'
import { describeFault } from '../core/injected-fault.ts'
import { findOwner, type SandboxOwner } from '../core/owner.ts'
import { printCall } from '../core/print-value.ts'
import type { Call } from './call.ts'
import type { Violation } from './contract.ts'
import type { MockDefinition } from './definition.ts'
import type { AnyImplementation, FunctionBook } from './function-book.ts'
import {
  answerMissing,
  type Blamed,
  calledAfterClose,
  callUnexpected,
  checkFailed,
  contractBroken,
  functionUnknown,
  matcherFailed,
  noSandbox,
} from './mock-errors.ts'
import { MockPart } from './mock-part.ts'
import { fullName } from './definition.ts'

/** A call on its way: judged by the book, checked by the contract, answered. */
interface Answering {
  readonly definition: MockDefinition
  readonly fn: string
  readonly args: readonly unknown[]
  readonly owner: SandboxOwner
  readonly book: FunctionBook
  readonly part: MockPart
  readonly call: Call
  /** Fails the test with an error, and returns it. */
  readonly failed: (error: Error) => Error
}

interface Answer {
  readonly answer: AnyImplementation
  /** Where it was said. */
  readonly site: CallSite
}

/** What the application's call of a double's function does. `double` is that function: errors have the stack of its call. */
export function callDouble(
  definition: MockDefinition,
  fn: string,
  args: readonly unknown[],
  double: (...args: never[]) => unknown,
): unknown {
  const owner = findOwner()
  if (owner === undefined) throw noSandbox(`call ${fullName(definition, fn)}`)
  const failed = (error: Error): Error => {
    // The code that a runner shows of it is then the application's call.
    Error.captureStackTrace(error, double)
    // Fails the test, whatever the application does with the error.
    owner.fail(error)
    return error
  }
  if (owner.state === 'closed') throw failed(calledAfterClose(definition, fn, owner, args))
  const part = MockPart.of(owner)
  const call = part.begin(definition, fn, args)
  const book = part.judging(definition, fn)
  book.judged.push(call)
  const answering: Answering = { definition, fn, args, owner, part, call, book, failed }
  const strike = strikeOf(answering)
  try {
    if (strike !== undefined) return breakCall(answering, strike)
    return passOn(answering, answerTo(answering))
  } catch (error) {
    call.throw(error)
    throw error
  }
}

function strikeOf({ owner, call }: Answering): Strike | undefined {
  const { faults } = owner.recorder
  if (!faults.awaits('mock')) return undefined
  const { mock, fn, args } = call.observed
  return faults.strike('mock', call.observed, () => printCall(`${mock}.${fn}`, args, Infinity))
}

/** A fault breaks the call: it never reaches what answers it, or nobody hears of its answer. */
function breakCall(answering: Answering, strike: Strike): unknown {
  const { owner, call } = answering
  call.break(strike.injected)
  const isAfter = strike.moment === 'after'
  const answer = isAfter ? answerTo(answering) : undefined
  const value = answer === undefined ? undefined : passOn(answering, answer)
  const isAsync = isAfter ? isThenable(value) : expectsPromise(answering)
  if (strike.kind !== 'timesOut') {
    const error = errorOf(answering, strike)
    if (!isAsync) throw error
    if (!isAfter) call.settle('rejected', error)
    const fail = (): Promise<never> => Promise.reject(error)
    return Promise.resolve(value).then(fail, fail)
  }
  // Nobody hears of it.
  Promise.resolve(value).catch(() => undefined)
  return new Promise((_, reject) => {
    owner.recorder.faults.hold(strike, () => reject(errorOf(answering, strike) as Error))
  })
}

/** Whether what answers the call would give a promise; where nothing says so, most do. */
function expectsPromise({ args, book, ...answering }: Answering): boolean {
  const decision = book.decide(args)
  const said = decision.kind === 'stubbed' || decision.kind === 'expected' ? decision.by.answer : undefined
  const answer = said ?? stubOf({ args, book, ...answering })?.answer
  return answer === undefined || Object.prototype.toString.call(answer) === '[object AsyncFunction]'
}

/** How a call fails where nothing else is said. */
function errorOf({ call }: Answering, { kind, failure, injected }: Strike): unknown {
  if (failure !== undefined) return failure
  const { mock, fn } = call.observed
  const error = new Error(`${mock}.${fn} ${describeFault(injected)} (a fault, set at ${injected.setAt})`)
  // As Node says of a connection that was reset.
  return kind === 'losesConnection' ? Object.assign(error, { code: 'ECONNRESET' }) : error
}

/** What answers the call; a call that is not to be answered throws. */
function answerTo(answering: Answering): Answer {
  const { definition, fn, args, book, failed } = answering
  if (definition.contract?.has(fn) === false) throw failed(functionUnknown(definition, definition.contract, fn))
  checkArguments(answering)
  const decision = attempt(
    () => book.decide(args),
    (error) => failed(matcherFailed(answering, error)),
  )
  if (decision.kind === 'stubbed') return { answer: decision.by.answer, site: decision.by.site }
  if (decision.kind !== 'expected') throw failed(callUnexpected(answering, decision))
  book.take(decision.by)
  const { answer, site } = decision.by
  if (answer !== undefined) return { answer, site }
  const stub = stubOf(answering)
  if (stub === undefined) throw failed(answerMissing(answering, decision.by))
  return { answer: stub.answer, site: stub.site }
}

/** The stub that answers for an expectation without an answer: of this sandbox, else of one around it. */
function stubOf({ definition, fn, owner }: Answering): FunctionBook['stub'] {
  for (let at: SandboxOwner | undefined = owner; at !== undefined; at = at.around) {
    const stub = at.knownPart<MockPart>('mock')?.book(definition, fn).stub
    if (stub !== undefined) return stub
  }
  return undefined
}

function checkArguments(answering: Answering): void {
  const { definition, fn, args, part, failed } = answering
  const broken = attempt(
    () => definition.contract?.checkArguments(fn, args) ?? [],
    (error) => failed(checkFailed(answering, error)),
  )
  // The call cannot wait for a check that takes time; the test fails by it all the same.
  if (broken instanceof Promise) part.awaitCheck(definition, answering.call, judgeLater(answering, 'call', broken))
  else if (broken.length > 0) throw failed(contractBroken(answering, 'call', broken, undefined))
}

/** Hands the answer to the application as it is, and notes how the call ends. */
function passOn(answering: Answering, { answer, site }: Answer): unknown {
  const { definition, fn, args, part, call } = answering
  const value = answer(...args)
  const isChecked = definition.contract?.hasResult(fn) === true
  const promise = isPlainPromise(value) || (isChecked && isThenable(value)) ? Promise.resolve(value) : undefined
  if (promise === undefined) {
    if (isChecked) checkResult(answering, value, site)
    call.return(value)
    call.settle('fulfilled', value)
    return value
  }
  // A promise of our own, so that a rejection that nobody handles is told as it is of the real one: what we attach to this
  // promise would count as handling it.
  const ended = part.await(definition, call)
  const settle = (type: 'fulfilled' | 'rejected', result: unknown): void => {
    call.settle(type, result)
    ended()
  }
  const noted = promise
    .then((result) => (isChecked ? checkedInTime(answering, result, site) : result))
    .then(
      (result) => {
        settle('fulfilled', result)
        return result
      },
      (error: unknown) => {
        settle('rejected', error)
        throw error
      },
    )
  call.return(noted)
  return noted
}

function checkResult(answering: Answering, value: unknown, site: CallSite): void {
  const { definition, fn, part, call, failed } = answering
  const broken = attempt(
    () => definition.contract?.checkResult(fn, value) ?? [],
    (error) => failed(checkFailed(answering, error)),
  )
  if (broken instanceof Promise) part.awaitCheck(definition, call, judgeLater(answering, 'answer', broken, site))
  else if (broken.length > 0) throw answerBroken(answering, broken, site)
}

async function checkedInTime(answering: Answering, value: unknown, site: CallSite): Promise<unknown> {
  let broken: readonly Violation[]
  try {
    broken = (await answering.definition.contract?.checkResult(answering.fn, value)) ?? []
  } catch (error) {
    throw answering.failed(checkFailed(answering, error))
  }
  if (broken.length > 0) throw answerBroken(answering, broken, site)
  return value
}

function answerBroken(answering: Answering, broken: readonly Violation[], site: CallSite): Error {
  const error = contractBroken(answering, 'answer', broken, site)
  answering.owner.fail(error)
  return error
}

async function judgeLater(
  answering: Answering,
  blamed: Blamed,
  checking: Promise<readonly Violation[]>,
  site?: CallSite,
): Promise<void> {
  try {
    const broken = await checking
    if (broken.length > 0) answering.owner.fail(contractBroken(answering, blamed, broken, site))
  } catch (error) {
    answering.owner.fail(checkFailed(answering, error))
  }
}

/** What the test gave to judge by (a schema, a matcher) may throw: the test fails by that, whatever the application does with it. */
function attempt<T>(work: () => T, failure: (error: unknown) => Error): T {
  try {
    return work()
  } catch (error) {
    throw failure(error)
  }
}

/** One whose place another promise can take unseen. (Node itself puts symbols on promises while contexts are followed.) */
function isPlainPromise(value: unknown): value is Promise<unknown> {
  return value instanceof Promise && value.constructor === Promise && Object.keys(value).length === 0
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
