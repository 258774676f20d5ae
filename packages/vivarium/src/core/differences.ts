import { isMatcher, printShort } from './print-value.ts'

/** Stands for what is not there at all. */
const absent: unique symbol = Symbol('absent')

/** One place at which a value is not what was expected. */
export interface Difference {
  /** Where, from the root's name: `args[0].amountCents`. */
  readonly path: string
  readonly expected: unknown
  readonly received: unknown
}

/** Enough to tell a near miss from a far one. */
const mostDifferences = 50

/**
 * Every place at which `received` is not what was expected; none when they are equal. A matcher (`expect.any(String)`) judges
 * its own place. As with the runners' `toEqual`, a property that is `undefined` is as one that is missing, and classes are not compared.
 */
export function differences(expected: unknown, received: unknown, root: string): readonly Difference[] {
  const comparison = new Comparison()
  comparison.compare(expected, received, root)
  return comparison.found
}

/** Whether {@link differences} finds none. */
export function equals(expected: unknown, received: unknown): boolean {
  return differences(expected, received, '').length === 0
}

/** `args[0].amountCents: expected 9000, received 10000` */
export function printDifference({ path, expected, received }: Difference, room: number = 72): string {
  const show = (value: unknown): string => (value === absent ? 'nothing' : printShort(value, Math.floor(room / 2)))
  const line = `${path}: expected ${show(expected)}, received ${show(received)}`
  return line.length <= room ? line : `${path}:\n  expected ${show(expected)}\n  received ${show(received)}`
}

class Comparison {
  readonly found: Difference[] = []
  /** What is being compared just now: a cycle closes where a pair comes again. */
  readonly #open: [object, object][] = []

  compare(expected: unknown, received: unknown, path: string): void {
    if (this.found.length >= mostDifferences || Object.is(expected, received)) return
    if (isMatcher(expected)) {
      if (!expected.asymmetricMatch(received === absent ? undefined : received)) this.#differ(expected, received, path)
      return
    }
    if (!isObject(expected) || !isObject(received) || kindOf(expected) !== kindOf(received)) {
      this.#differ(expected, received, path)
      return
    }
    if (this.#open.some(([one, other]) => one === expected && other === received)) return
    this.#open.push([expected, received])
    this.#compareObjects(expected, received, path)
    this.#open.pop()
  }

  #compareObjects(expected: object, received: object, path: string): void {
    const differ = (): void => this.#differ(expected, received, path)
    if (Array.isArray(expected) && Array.isArray(received)) this.#compareItems(expected, received, path)
    else if (expected instanceof Map && received instanceof Map) this.#compareMaps(expected, received, path)
    else if (expected instanceof Set && received instanceof Set) {
      const rest = [...received]
      const missing = [...expected].some((one) => {
        const index = rest.findIndex((other) => equals(one, other))
        if (index >= 0) rest.splice(index, 1)
        return index < 0
      })
      if (missing || rest.length > 0) differ()
    } else {
      const known = asPrimitive(expected)
      if (known !== undefined) {
        if (known !== asPrimitive(received)) differ()
      } else if (isOpaque(expected) || isOpaque(received)) differ()
      else this.#compareProperties(expected, received, path)
    }
  }

  #compareItems(expected: readonly unknown[], received: readonly unknown[], path: string): void {
    for (let index = 0; index < Math.max(expected.length, received.length); index++) {
      const one = index < expected.length ? expected[index] : absent
      const other = index < received.length ? received[index] : absent
      this.compare(one, other, `${path}[${index}]`)
    }
  }

  #compareMaps(expected: ReadonlyMap<unknown, unknown>, received: ReadonlyMap<unknown, unknown>, path: string): void {
    const rest = new Map(received)
    for (const [key, value] of expected) {
      const match = rest.has(key) ? [key] : [...rest.keys()].filter((other) => equals(key, other)).slice(0, 1)
      const other = match.length === 0 ? absent : rest.get(match[0])
      this.compare(value, other, `${path}.get(${printShort(key)})`)
      rest.delete(match[0])
    }
    for (const [key, value] of rest) this.#differ(absent, value, `${path}.get(${printShort(key)})`)
  }

  #compareProperties(expected: object, received: object, path: string): void {
    for (const key of new Set([...keysOf(expected), ...keysOf(received)])) {
      const [one, other] = [propertyOf(expected, key), propertyOf(received, key)]
      // Missing or undefined, in either of the two: the same.
      if (one !== other) this.compare(one, other, at(path, key))
    }
  }

  #differ(expected: unknown, received: unknown, path: string): void {
    this.found.push({ path, expected, received })
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** `Object`, `Array`, `Date`, …: what an object is, whatever its class. */
function kindOf(value: object): string {
  return Object.prototype.toString.call(value)
}

/** What stands for the whole object where it has no properties to compare. */
function asPrimitive(value: object): unknown {
  if (value instanceof Date) return String(value.getTime())
  if (value instanceof RegExp) return String(value)
  if (value instanceof URL) return value.href
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  if (value instanceof ArrayBuffer) return Buffer.from(value).toString('base64')
  if (value instanceof Number || value instanceof String || value instanceof Boolean) return String(value)
  return undefined
}

function propertyOf(value: object, key: PropertyKey): unknown {
  const property = (value as Readonly<Record<PropertyKey, unknown>>)[key]
  return property === undefined ? absent : property
}

/** Nothing of it can be seen (a promise, a class with private fields): only the same one is equal. */
function isOpaque(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  // Plain in whatever realm it was made: a prototype that has none itself.
  return prototype !== null && Object.getPrototypeOf(prototype) !== null && keysOf(value).length === 0
}

function keysOf(value: object): readonly PropertyKey[] {
  return Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key))
}

function at(path: string, key: PropertyKey): string {
  if (typeof key === 'string' && /^[\p{L}_$][\p{L}\d_$]*$/u.test(key)) return path === '' ? key : `${path}.${key}`
  return `${path}[${typeof key === 'string' ? JSON.stringify(key) : String(key)}]`
}
