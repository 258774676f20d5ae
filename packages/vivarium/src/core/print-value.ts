/** How one value is shown in a message: on one line where it fits, else one entry per line, and never at length. */
const longestString = 60
const mostEntries = 20
const deepest = 5

/** `value` as a person would write it, on one line when that has at most `room` columns, else over several. */
export function printValue(value: unknown, room: number = 68): string {
  return print(value, room, [])
}

/** `value` on one line of at most `room` columns, cut where it is longer. */
export function printShort(value: unknown, room: number = 32): string {
  const line = print(value, Infinity, [])
  return line.length <= room ? line : `${line.slice(0, room - 1)}…`
}

/** A call as it is written: `charge({ amountCents: 100 }, 'now')`. */
export function printCall(name: string, args: readonly unknown[], room: number = 68): string {
  const flat = `${name}(${args.map((arg) => print(arg, Infinity, [])).join(', ')})`
  if (flat.length <= room) return flat
  if (args.length === 1) return `${name}(${print(args[0], room - name.length - 2, [])})`
  return `${name}(\n${args.map((arg) => `  ${inner(print(arg, room - 3, []))},\n`).join('')})`
}

/** A matcher as the test runners have them: an object that judges a value itself. */
export interface ValueMatcher {
  asymmetricMatch(other: unknown): boolean
}

/** Tells a matcher from a value. */
export function isMatcher(value: unknown): value is ValueMatcher {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<ValueMatcher>).asymmetricMatch === 'function'
  )
}

function print(value: unknown, room: number, above: readonly object[]): string {
  if (typeof value === 'string') return printString(value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'symbol') return value.toString()
  if (typeof value === 'function') return `[Function ${value.name === '' ? 'anonymous' : value.name}]`
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value)
  if (above.includes(value)) return '[Circular]'
  return printObject(value, room, above)
}

function printString(text: string): string {
  const short = text.length <= longestString ? text : `${text.slice(0, longestString - 21)}…${text.slice(-20)}`
  const escaped = JSON.stringify(short).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")
  return text.includes("'") && !text.includes('"') ? `"${escaped.replaceAll("\\'", "'")}"` : `'${escaped}'`
}

function printObject(value: object, room: number, above: readonly object[]): string {
  if (isMatcher(value)) return printMatcher(value, room, above)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (value instanceof RegExp) return String(value)
  if (value instanceof URL) return `URL ${printString(value.href)}`
  if (value instanceof Error) return `${value.name}: ${printString(value.message)}`
  if (value instanceof Promise) return 'Promise'
  if (ArrayBuffer.isView(value)) return `${nameOf(value)}(${value.byteLength} bytes)`
  if (value instanceof ArrayBuffer) return `ArrayBuffer(${value.byteLength} bytes)`
  if (above.length >= deepest) return Array.isArray(value) ? '[…]' : '{…}'
  const within = [...above, value]
  const item = (one: unknown, left: number): string => print(one, left, within)
  if (Array.isArray(value))
    return composed(
      '[',
      ']',
      entriesOf(value, (one) => (left) => item(one, left)),
      room,
    )
  if (value instanceof Set) {
    return composed(
      'Set [',
      ']',
      entriesOf([...value], (one) => (left) => item(one, left)),
      room,
    )
  }
  if (value instanceof Map) {
    const pair = ([key, one]: readonly unknown[]) => {
      const shown = print(key, Infinity, within)
      return (left: number): string => `${shown} => ${item(one, left - shown.length - 4)}`
    }
    return composed('Map {', '}', entriesOf([...value], pair), room)
  }
  const name = nameOf(value)
  return composed(name === 'Object' ? '{' : `${name} {`, '}', propertiesOf(value, item), room)
}

/** Any<String>, ObjectContaining { … }: what it is called, and what it was given. */
function printMatcher(value: ValueMatcher, room: number, above: readonly object[]): string {
  const known = value as ValueMatcher & { readonly sample?: unknown; toString(): string }
  const name = known.toString === Object.prototype.toString ? 'matcher' : known.toString()
  if (typeof known.sample === 'function') return `${name}<${known.sample.name}>`
  if (!('sample' in known) || known.sample === undefined) return name
  return `${name} ${print(known.sample, room - name.length - 1, [...above, value])}`
}

type Entry = (room: number) => string

function entriesOf<T>(items: readonly T[], entry: (item: T) => Entry): readonly Entry[] {
  const shown = items.slice(0, mostEntries).map(entry)
  const more = items.length - mostEntries
  return more > 0 ? [...shown, () => `… ${more} more`] : shown
}

function propertiesOf(value: object, item: (one: unknown, room: number) => string): readonly Entry[] {
  const keys = Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key))
  return entriesOf(keys, (key) => {
    const { get, value: property } = Object.getOwnPropertyDescriptor(value, key) ?? {}
    const name =
      typeof key === 'symbol' ? `[${key.toString()}]` : /^[\p{L}_$][\p{L}\d_$]*$/u.test(key) ? key : printString(key)
    return (room) => `${name}: ${get === undefined ? item(property, room - name.length - 2) : '[Getter]'}`
  })
}

function composed(open: string, close: string, entries: readonly Entry[], room: number): string {
  if (entries.length === 0) return open + close
  const pad = open.endsWith('{') ? ' ' : ''
  const flat = `${open}${pad}${entries.map((entry) => entry(Infinity)).join(', ')}${pad}${close}`
  if (flat.length <= room) return flat
  return `${open}\n${entries.map((entry) => `  ${inner(entry(room - 3))},\n`).join('')}${close}`
}

function inner(text: string): string {
  return text.replaceAll('\n', '\n  ')
}

function nameOf(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null) return 'Object'
  const { constructor } = prototype as { constructor?: unknown }
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name : 'Object'
}
