import { fullName, type MockDefinition } from './definition.ts'
import { MockPart } from './mock-part.ts'

/** `fn.mock` as the matchers of Vitest and Jest read it. */
interface MockState {
  readonly calls: readonly (readonly unknown[])[]
  readonly lastCall: readonly unknown[] | undefined
  readonly results: readonly object[]
  readonly settledResults: readonly object[]
  readonly invocationCallOrder: readonly number[]
  readonly contexts: readonly unknown[]
  readonly instances: readonly unknown[]
}

/** The calls that this flow's sandbox made of a function. */
export function viewCalls(definition: MockDefinition, fn: string): MockState {
  const { calls } = MockPart.here(`look at the calls of ${fullName(definition, fn)}`).book(definition, fn)
  const args = calls.map(({ observed }) => observed.args)
  const nothing = calls.map(() => undefined)
  return {
    calls: args,
    lastCall: args.at(-1),
    results: calls.map(({ returned }) => returned),
    settledResults: calls.map(({ settled }) => settled),
    invocationCallOrder: calls.map(({ order }) => order),
    contexts: nothing,
    instances: nothing,
  }
}
