import type { JsonObject } from './document.ts'
import { samplesOf } from './pattern-sample.ts'

/** Texts that may fit all of several schemas, the plainest first. `seed` makes a series of different ones. */
export function* exampleTexts(schemas: readonly JsonObject[], seed: number): Generator<string> {
  const least = Math.max(0, ...numbersOf(schemas, 'minLength'))
  const most = Math.min(...numbersOf(schemas, 'maxLength'), Infinity)
  const count = String(seed + 1)
  for (const schema of schemas) {
    const { format, pattern } = schema
    if (typeof format === 'string') yield* formatSamples(format, seed, least)
    if (typeof pattern === 'string') {
      // Later samples first where different ones are wanted.
      const samples = [...samplesOf(pattern)]
      yield* [...samples.slice(seed % samples.length || 0), ...samples]
    }
  }
  const word = seed === 0 ? 'text' : `text${count}`
  yield word.padEnd(least, 'x').slice(0, most)
  yield count.padStart(Math.max(least, 1), '0').slice(-Math.min(most, 400))
  yield ''
}

/** Numbers that may fit all of several schemas. */
export function* exampleNumbers(schemas: readonly JsonObject[], isInteger: boolean, seed: number): Generator<number> {
  const steps = numbersOf(schemas, 'multipleOf')
  const step = steps.length === 0 ? 1 : steps.reduce(commonMultiple)
  const above = exclusiveBounds(schemas, 'minimum', 'exclusiveMinimum')
  const below = exclusiveBounds(schemas, 'maximum', 'exclusiveMaximum')
  const low = Math.max(...numbersOf(schemas, 'minimum'), ...above)
  const high = Math.min(...numbersOf(schemas, 'maximum'), ...below)
  // The lowest step that is allowed; without a lower bound 1, or what comes below the upper one.
  let first = Math.ceil((Number.isFinite(low) ? low : Math.min(1, high)) / step) * step
  if (above.includes(first)) first += step
  let last = Math.floor(high / step) * step
  if (below.includes(last)) last -= step
  const count = Number.isFinite(last) ? Math.max(1, Math.round((last - first) / step) + 1) : Infinity
  const all = [
    first + (seed % count) * step,
    first,
    last,
    // Between two steps.
    low + (high - low) * ((seed + 1) / (seed + 2)),
    low + 1 / (seed + 2),
    high - 1 / (seed + 2),
    0,
  ]
  for (const value of all) {
    // Steps such as 0.01 add up to 0.07000000000000001.
    const plain = Number(value.toPrecision(12))
    if (Number.isFinite(plain) && (!isInteger || Number.isInteger(plain))) yield plain
  }
}

function* formatSamples(format: string, seed: number, least: number): Generator<string> {
  const number = seed + 1
  const hex = seed.toString(16).padStart(12, '0')
  const day = String((seed % 28) + 1).padStart(2, '0')
  const samples: Readonly<Record<string, string>> = {
    date: `2024-01-${day}`,
    'date-time': `2024-01-${day}T12:00:00Z`,
    time: `12:00:${String(seed % 60).padStart(2, '0')}Z`,
    duration: `P${number}D`,
    email: `${'u'.padEnd(least - 12 - String(number).length, 'u')}${number}@example.com`,
    hostname: `host${number}.example.com`,
    ipv4: `192.0.2.${number % 256}`,
    ipv6: `2001:db8::${number.toString(16)}`,
    uri: `https://example.com/${String(number).padEnd(least - 20, '0')}`,
    'uri-reference': `/${String(number).padEnd(least - 1, '0')}`,
    'uri-template': `/${number}/{name}`,
    url: `https://example.com/${String(number).padEnd(least - 20, '0')}`,
    uuid: `00000000-0000-4000-8000-${hex}`,
    byte: Buffer.from(`${number}`.padEnd(Math.ceil((least * 3) / 4), '0')).toString('base64'),
    'json-pointer': `/${number}`,
    'relative-json-pointer': `${number}`,
    regex: `a{${number}}`,
    'iso-date-time': `2024-01-${day}T12:00:00Z`,
    'iso-time': '12:00:00Z',
  }
  if (Object.hasOwn(samples, format)) yield samples[format] ?? ''
}

/** Bounds that are outside themselves: in OpenAPI 3.0 a flag says so of the other keyword. */
function exclusiveBounds(schemas: readonly JsonObject[], bound: string, exclusive: string): number[] {
  return schemas.flatMap((schema) => {
    const value = schema[exclusive] === true ? schema[bound] : schema[exclusive]
    return typeof value === 'number' ? [value] : []
  })
}

function numbersOf(schemas: readonly JsonObject[], name: string): number[] {
  return schemas.flatMap((schema) => (typeof schema[name] === 'number' ? [schema[name]] : []))
}

function commonMultiple(one: number, other: number): number {
  const scale = 1e6
  let [a, b] = [Math.round(one * scale), Math.round(other * scale)]
  const product = a * b
  while (b !== 0) [a, b] = [b, a % b]
  return product / a / scale
}
