import { callSiteOf } from '../core/call-site.ts'
import { findOwner, type SandboxOwner } from '../core/owner.ts'
import { runInContext } from '../core/registry.ts'
import { functionNames, RuntimeContract } from './contract.ts'
import { fullName, itself, type MockDefinition } from './definition.ts'
import { createDouble, createFunction } from './double.ts'
import { assertKnown, QueuedExpectation } from './expectation.ts'
import type { AnyImplementation } from './function-book.ts'
import { flowRefused } from './mock-errors.ts'
import { MockPart } from './mock-part.ts'
import type { AnyFunction, Mock, MockFunction, MockFunctionOptions, MockOptions } from './mock-types.ts'

/**
 * A double of a contract: give `.double` to the application once, wherever it is put together. What a test then says about it
 * (`expect`, `stub`, `deny`) belongs to that test's sandbox, and is verified when that closes. A call that nobody expected throws
 * `MOCK_CALL_UNEXPECTED` and fails the test, also where the application caught the error. `CONFIG_INVALID`: a runtime contract that cannot be used.
 *
 * @example
 * ```ts
 * import { expect, test } from 'vitest'
 * import { defineMock } from 'vivarium/mock'
 *
 * interface PaymentGateway {
 *   charge(request: { amountCents: number; cardToken: string }): Promise<{ id: string }>
 *   refund(id: string): Promise<void>
 * }
 *
 * async function checkOut(gateway: PaymentGateway): Promise<string> {
 *   return (await gateway.charge({ amountCents: 10_000, cardToken: 'tok_visa' })).id
 * }
 *
 * const provider = defineMock<PaymentGateway>('PaymentGateway')
 *
 * test('the card is charged once', async () => {
 *   provider.expect.charge({ amountCents: 10_000, cardToken: expect.any(String) }).resolves({ id: 'ch_123' })
 *
 *   expect(await checkOut(provider.double)).toBe('ch_123')
 * })
 * ```
 */
export function defineMock<T extends object>(name: string, options: MockOptions<T> = {}): Mock<T> {
  const definition = define(name, options.contract, options.settleMs)
  const verb = (make: (fn: string) => AnyFunction): object => perFunction(make)
  const mock = {
    name,
    double: createDouble(definition, options.values ?? {}),
    stub: verb((fn) => stubVerb(definition, fn)),
    expect: verb((fn) => expectVerb(definition, fn)),
    deny: verb((fn) => denyVerb(definition, fn)),
    stubAll: stubAllVerb(definition),
    ...commonVerbs(definition),
  }
  return mock as unknown as Mock<T>
}

/**
 * A double of one function, as {@link defineMock} makes it of an object with functions.
 *
 * @example
 * ```ts
 * import { test } from 'vitest'
 * import { defineMockFunction } from 'vivarium/mock'
 *
 * const notify = defineMockFunction<(userId: number, text: string) => Promise<void>>('notify')
 *
 * test('the user is told', async () => {
 *   notify.expect(17, 'Your order is on its way').resolves()
 *
 *   await notify.double(17, 'Your order is on its way')
 * })
 * ```
 */
export function defineMockFunction<F extends AnyFunction>(
  name: string,
  options: MockFunctionOptions<F> = {},
): MockFunction<F> {
  const definition = define(name, options.contract, options.settleMs)
  const mock = {
    name,
    double: createFunction(definition),
    stub: stubVerb(definition, itself),
    expect: expectVerb(definition, itself),
    deny: denyVerb(definition, itself),
    ...commonVerbs(definition),
  }
  return mock as unknown as MockFunction<F>
}

function define(name: string, contract: object | undefined, settleMs: number = 100): MockDefinition {
  const known = contract === undefined ? undefined : new RuntimeContract(name, contract)
  return { name, contract: known, settleMs, usedIn: new Set() }
}

/** An object with a verb for each function, whatever its name. */
function perFunction(make: (fn: string) => AnyFunction): object {
  // `then`: who awaits the object by mistake gets it back.
  return new Proxy(Object.freeze({}), {
    get: (_, key) => (typeof key === 'symbol' || key === 'then' ? undefined : make(key)),
  })
}

function expectVerb(definition: MockDefinition, fn: string): AnyFunction {
  return function expectCall(...args: readonly unknown[]): QueuedExpectation {
    return new QueuedExpectation(definition, fn, args, expectCall)
  }
}

function denyVerb(definition: MockDefinition, fn: string): AnyFunction {
  return function denyCall(...args: readonly unknown[]): void {
    new QueuedExpectation(definition, fn, args, denyCall).times(0)
  }
}

function stubVerb(definition: MockDefinition, fn: string): AnyFunction {
  return function stub(implementation: AnyImplementation): void {
    stubOne(definition, fn, implementation, stub)
  }
}

function stubOne(definition: MockDefinition, fn: string, answer: AnyImplementation, below: AnyFunction): void {
  assertKnown(definition, fn)
  const action = `stub ${fullName(definition, fn)}`
  MockPart.here(action).bookToWrite(definition, fn, action).stubWith(callSiteOf(below), answer)
}

function stubAllVerb(definition: MockDefinition): (implementation: object) => void {
  return function stubAll(implementation: object): void {
    for (const fn of definition.contract?.names ?? functionNames(implementation)) {
      // Looked up at each call: an implementation that is changed meanwhile answers with what it has then.
      const answer: AnyImplementation = (...args) =>
        (implementation as Readonly<Record<string, AnyImplementation>>)[fn]!.apply(implementation, [...args])
      stubOne(definition, fn, answer, stubAll)
    }
  }
}

function commonVerbs(definition: MockDefinition): Pick<Mock<object>, 'verify' | 'allow'> {
  return {
    verify: () => {
      const missing = MockPart.here(`verify ${definition.name}`).missing(definition)
      if (missing !== undefined) throw missing
    },
    allow: (fn) => {
      const { owner } = MockPart.here(`allow a flow to ${definition.name}`)
      return (...args) => {
        const other = findOwner()
        if (other !== undefined && !isAround(other, owner)) refuseOwnExpectations(definition, owner, other)
        return runInContext(owner, () => fn(...args))
      }
    },
  }
}

/** `other` is the sandbox itself, or one around it. */
function isAround(other: SandboxOwner, owner: SandboxOwner): boolean {
  for (let at: SandboxOwner | undefined = owner; at !== undefined; at = at.around) if (at === other) return true
  return false
}

function refuseOwnExpectations(definition: MockDefinition, owner: SandboxOwner, other: SandboxOwner): void {
  if (other.knownPart<MockPart>('mock')?.hasExpectations(definition) !== true) return
  const refused = flowRefused(definition, owner, other)
  other.fail(refused)
  throw refused
}
