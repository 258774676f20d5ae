import { types } from 'node:util'

/** How one value is shown in a message: on one line where it fits, else one entry per line, and never at length. */
const longestString = 60
const mostEntries = 20
const mostLines = 100
const deepest = 5

/** `value` as a person would write it, on one line when that has at most `room` columns, else over several. */
export function printValue(value: unknown, room: number = 68): string {
  return new Block().print(value, room, [])
}

/** `value` on one line of at most `room` columns, cut where it is longer. */
export function printShort(value: unknown, room: number = 32): string {
  const line = new Line(room)
  line.write(value, [])
  return line.isTooLong ? `${line.text.slice(0, room - 1)}…` : line.text
}

/** A call as it is written: `charge({ amountCents: 100 }, 'now')`. */
export function printCall(name: string, args: readonly unknown[], room: number = 68): string {
  const line = new Line(room)
  line.writeFrame({ open: `${name}(`, close: ')', entries: args.map((value) => ({ label: '', value })), above: [] })
  if (!line.isTooLong) return line.text
  const block = new Block()
  if (args.length === 1) return `${name}(${block.print(args[0], room - name.length - 2, [])})`
  return `${name}(\n${args.map((arg) => `  ${inner(block.print(arg, room - 3, []))},\n`).join('')})`
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

/** A value, one level deep: its text, or what stands around its entries. */
type Shape = string | Frame

interface Frame {
  readonly open: string
  readonly close: string
  readonly entries: readonly Entry[]
  /** The objects that it is in, itself included. */
  readonly above: readonly object[]
}

/** An item or a property: a label and a value behind it, or a label that says it all. */
type Entry = { readonly label: string } | { readonly label: string; readonly value: unknown }

/** Writes on one line, and stops where that becomes longer than there is room: a large object costs no more than a small one. */
class Line {
  text = ''
  readonly #room: number

  constructor(room: number) {
    this.#room = room
  }

  get isTooLong(): boolean {
    return this.text.length > this.#room
  }

  write(value: unknown, above: readonly object[]): void {
    const shape = shapeOf(value, above)
    if (typeof shape === 'string') this.text += shape
    else this.writeFrame(shape)
  }

  writeFrame({ open, close, entries, above }: Frame): void {
    const pad = open.endsWith('{') && entries.length > 0 ? ' ' : ''
    this.text += open + pad
    for (const [index, entry] of entries.entries()) {
      this.text += (index === 0 ? '' : ', ') + entry.label
      if ('value' in entry && !this.isTooLong) this.write(entry.value, above)
      if (this.isTooLong) return
    }
    this.text += pad + close
  }
}

/** Writes over several lines where one is not enough; so many, and what is deeper is left out. */
class Block {
  #lines = 0

  print(value: unknown, room: number, above: readonly object[]): string {
    const shape = shapeOf(value, above)
    if (typeof shape === 'string') return shape
    const line = new Line(room)
    line.writeFrame(shape)
    if (!line.isTooLong) return line.text
    if (this.#lines >= mostLines) return `${shape.open}…${shape.close}`
    this.#lines += shape.entries.length
    const entries = shape.entries.map((entry) => {
      if (!('value' in entry)) return entry.label
      return entry.label + this.print(entry.value, room - 3 - entry.label.length, shape.above)
    })
    return `${shape.open}\n${entries.map((entry) => `  ${inner(entry)},\n`).join('')}${shape.close}`
  }
}

function shapeOf(value: unknown, above: readonly object[]): Shape {
  if (typeof value === 'string') return printString(value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'symbol') return value.toString()
  if (typeof value === 'function') return `[Function ${value.name === '' ? 'anonymous' : value.name}]`
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value)
  if (above.includes(value)) return '[Circular]'
  return shapeOfObject(value, above)
}

function printString(text: string): string {
  const short = text.length <= longestString ? text : `${text.slice(0, longestString - 21)}…${text.slice(-20)}`
  const escaped = JSON.stringify(short).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")
  return text.includes("'") && !text.includes('"') ? `"${escaped.replaceAll("\\'", "'")}"` : `'${escaped}'`
}

function shapeOfObject(value: object, outside: readonly object[]): Shape {
  // Whatever is asked of it runs somebody's code.
  if (types.isProxy(value)) return 'Proxy'
  const above = [...outside, value]
  if (isMatcher(value)) return shapeOfMatcher(value, above)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (value instanceof RegExp) return String(value)
  if (value instanceof URL) return `URL ${printString(value.href)}`
  if (value instanceof Error) return `${value.name}: ${printString(value.message)}`
  if (value instanceof Promise) return 'Promise'
  if (ArrayBuffer.isView(value)) return `${nameOf(value)}(${value.byteLength} bytes)`
  if (value instanceof ArrayBuffer) return `ArrayBuffer(${value.byteLength} bytes)`
  if (outside.length >= deepest) return Array.isArray(value) ? '[…]' : '{…}'
  if (Array.isArray(value)) return { open: '[', close: ']', entries: entriesOf(value, item), above }
  if (value instanceof Set) return { open: 'Set [', close: ']', entries: entriesOf([...value], item), above }
  if (value instanceof Map) {
    const pair = ([key, one]: readonly unknown[]): Entry => ({ label: `${printShort(key)} => `, value: one })
    return { open: 'Map {', close: '}', entries: entriesOf([...value], pair), above }
  }
  const name = nameOf(value)
  return { open: name === 'Object' ? '{' : `${name} {`, close: '}', entries: propertiesOf(value), above }
}

/** Any<String>, ObjectContaining { … }: what it is called, and what it was given. */
function shapeOfMatcher(value: ValueMatcher, above: readonly object[]): Shape {
  const known = value as ValueMatcher & { readonly sample?: unknown; toString(): string }
  const name = known.toString === Object.prototype.toString ? 'matcher' : known.toString()
  if (typeof known.sample === 'function') return `${name}<${known.sample.name}>`
  if (!('sample' in known) || known.sample === undefined) return name
  const sample = shapeOf(known.sample, above)
  return typeof sample === 'string' ? `${name} ${sample}` : { ...sample, open: `${name} ${sample.open}` }
}

function item(value: unknown): Entry {
  return { label: '', value }
}

function entriesOf<T>(items: readonly T[], entry: (item: T) => Entry): readonly Entry[] {
  const shown = items.slice(0, mostEntries).map(entry)
  const more = items.length - mostEntries
  return more > 0 ? [...shown, { label: `… ${more} more` }] : shown
}

function propertiesOf(value: object): readonly Entry[] {
  const keys = Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key))
  return entriesOf(keys, (key) => {
    const { get, value: property } = Object.getOwnPropertyDescriptor(value, key) ?? {}
    const name =
      typeof key === 'symbol' ? `[${key.toString()}]` : /^[\p{L}_$][\p{L}\d_$]*$/u.test(key) ? key : printString(key)
    return get === undefined ? { label: `${name}: `, value: property } : { label: `${name}: [Getter]` }
  })
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
