import { callDouble } from './call-double.ts'
import { fullName, itself, type MockDefinition } from './definition.ts'
import { viewCalls } from './view-calls.ts'

/** What the language and tools look for in any object: a double has it only where its runtime contract has. */
const probed: readonly PropertyKey[] = ['then', 'toJSON', 'asymmetricMatch', 'inspect', '$$typeof', 'nodeType']

type DoubleFunction = (...args: readonly unknown[]) => unknown

/** The object that takes the contract's place in the application. */
export function createDouble(definition: MockDefinition, values: object): object {
  const functions = new Map<string, DoubleFunction>()
  const functionOf = (name: string): DoubleFunction => {
    const known = functions.get(name)
    if (known !== undefined) return known
    const made = createFunction(definition, name)
    functions.set(name, made)
    return made
  }
  const { contract } = definition
  const known = Object.fromEntries((contract?.names ?? []).map((name) => [name, functionOf(name)]))
  // Frozen: it serves every test, and what one of them put there would be found by the next.
  return new Proxy(Object.freeze({ ...known, ...values }), {
    get: (target, key) => {
      // Without a runtime contract every name may be a function's; with one, calling an unknown name says so.
      if (typeof key === 'symbol' || key in target || probed.includes(key)) return Reflect.get(target, key) as unknown
      return functionOf(key)
    },
  })
}

/** A function that takes the place of another: a mock function for the matchers of Vitest and Jest, each sandbox with its own calls. */
export function createFunction(definition: MockDefinition, name: string = itself): DoubleFunction {
  const double: DoubleFunction = (...args) => callDouble(definition, name, args, double)
  return Object.defineProperties(double, {
    name: { value: fullName(definition, name) },
    _isMockFunction: { value: true },
    getMockName: { value: () => fullName(definition, name) },
    mock: { get: () => viewCalls(definition, name) },
  })
}
