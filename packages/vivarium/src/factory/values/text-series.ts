import { singularOf } from '../catalogue/english.ts'
import { cycle, endless } from './value-series.ts'
import type { ValueSeries } from './value-series.ts'
import {
  cities,
  colours,
  companies,
  countries,
  currencies,
  firstNames,
  languages,
  lastNames,
  mediaTypes,
  streets,
  timeZones,
} from './words.ts'

/** What a text is for. */
export interface TextUse {
  readonly table: string
  readonly column: string
  /** Characters that there is room for. */
  readonly length: number | undefined
  /** No two are to be equal. */
  readonly isUnique: boolean
}

/** Texts as a person would expect them in a column of that name. */
export function textSeries(use: TextUse): ValueSeries {
  const { length = Infinity } = use
  const natural = naturalTexts(use)
  const series = use.isUnique ? distinct(natural) : natural
  if (fits(series, length)) return series
  return length < 8 ? codes(length) : endless((number) => shortened(String(series.at(number)), number, length))
}

/** The longest that a million rows would need. */
function fits(series: ValueSeries, length: number): boolean {
  if (length === Infinity) return true
  const tried = Number.isFinite(series.size) ? Math.min(series.size, 50) : 24
  const longest = Array.from({ length: tried }, (_, index) => String(series.at(index + 1)).length)
  return Math.max(...longest) + (series.size === Infinity ? 6 : 0) <= length
}

function distinct(series: ValueSeries): ValueSeries {
  if (series.size === Infinity) return series
  return endless((number) => {
    const round = Math.floor((number - 1) / series.size)
    const text = String(series.at(number))
    return round === 0 ? text : `${text} ${round + 1}`
  })
}

/** The number, in front of as much of the text as there is room for. */
function shortened(text: string, number: number, length: number): string {
  const tail = number.toString(36)
  const head = text.slice(0, Math.max(0, length - tail.length - 1))
  return `${head.replace(/\d*$/, '')}-${tail}`.slice(-length)
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'

/** Capital letters: AAA, AAB, … */
function codes(length: number): ValueSeries {
  if (length <= 0) return cycle([''])
  const size = letters.length ** length
  const at = (number: number): string => {
    let rest = (number - 1) % size
    let text = ''
    for (let place = 0; place < length; place++) {
      text = (letters[rest % letters.length] ?? 'A') + text
      rest = Math.floor(rest / letters.length)
    }
    return text
  }
  return { size, at }
}

const person = (number: number): readonly [first: string, last: string] => [
  firstNames[(number - 1) % firstNames.length] ?? '',
  // Another length than that of the first names, so that pairs do not come again at once.
  lastNames[(number - 1 + Math.floor((number - 1) / firstNames.length)) % lastNames.length] ?? '',
]

const pairs = firstNames.length * lastNames.length

type MakeTexts = (use: TextUse) => ValueSeries

const byName: readonly (readonly [name: RegExp, make: MakeTexts])[] = [
  [/e_?mail/, () => endless((number) => `${person(number).join('.').toLowerCase()}.${number}@example.com`)],
  [/(^|_)(first|given|fore)_?name/, () => cycle(firstNames)],
  [/(^|_)(last|sur|family)_?name/, () => cycle(lastNames)],
  [/(^|_)middle_?name/, () => cycle(firstNames.toReversed())],
  [/(user|login|nick|screen)_?(name)?$|^handle$/, () => endless((number) => `${person(number)[0].toLowerCase()}${number}`)],
  [/^(full|display|contact|customer|author|artist|owner)_?name/, () => people],
  [/country_?(code|iso)|^iso(_?2)?$|^country2$/, () => cycle(countries.map(([, two]) => two))],
  [/country/, ({ length = Infinity }) => cycle(countries.map(([name, two, three]) => (length === 2 ? two : length === 3 ? three : name)))],
  [/(^|_)(city|town)/, () => cycle(cities)],
  [/(^|_)(state|region|province|district)$/, () => cycle(cities.map((city) => `${city} region`))],
  [/post(al)?_?code|(^|_)zip/, () => endless((number) => String(10_000 + number))],
  [/(^|_)(address|street)/, () => endless((number) => `${number} ${streets[(number - 1) % streets.length]}`)],
  [/(^|_)(phone|fax|mobile|cell)/, () => endless((number) => `+1555${String(number).padStart(7, '0')}`)],
  [/(^|_)(host|domain)(_?name)?$/, () => endless((number) => `host-${number}.example.com`)],
  [/(url|uri|link|website|homepage|webhook)$/, ({ table }) => endless((number) => `https://example.com/${dashed(table)}/${number}`)],
  [/slug|permalink/, ({ table }) => endless((number) => `${dashed(singularOf(table))}-${number}`)],
  [/currency/, () => cycle(currencies)],
  [/(^|_)(lang|language|locale)(_?code)?$/, () => cycle(languages)],
  [/time_?zone|^tz$/, () => cycle(timeZones)],
  [/compan|organi[sz]ation|vendor|supplier|manufacturer/, () => endless((number) => `${companies[(number - 1) % companies.length]} ${number}`)],
  [/colou?r/, () => cycle(colours)],
  [/mime|media_?type|content_?type/, () => cycle(mediaTypes)],
  [/(password|secret)(_?(hash|digest))?$|(^|_)(hash|digest|checksum|sha\d*)$/, () => endless((number) => hexadecimal(number, 64))],
  [/token|api_?key/, () => endless((number) => `tok_${hexadecimal(number, 24)}`)],
  [/ip(_?address)?$/, () => endless((number) => `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`)],
  [/description|body|content|comment|note|bio|summary|text$|message/, ({ table }) => endless((number) => `About ${words(singularOf(table))} ${number}.`)],
] // prettier-ignore

const people: ValueSeries = { size: pairs, at: (number) => person(number).join(' ') }
const peopleTables = /^(user|customer|person|employee|actor|author|staff|member|contact|student|teacher|patient)s?$/i

function naturalTexts(use: TextUse): ValueSeries {
  const column = use.column.replaceAll(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter}`).toLowerCase()
  const found = byName.find(([name]) => name.test(column))?.[1](use)
  if (found !== undefined) return found
  const thing = singularOf(use.table)
  if (column === 'name' && peopleTables.test(thing)) return people
  const isNaming = /^(name|title|label|caption)$/.test(column)
  return endless((number) => (isNaming ? `${capital(words(thing))} ${number}` : `${words(column)} ${number}`))
}

function hexadecimal(number: number, length: number): string {
  return number.toString(16).padStart(length, '0')
}

function words(name: string): string {
  return name
    .replaceAll(/(?<=[a-z0-9])[A-Z]/g, (letter) => ` ${letter}`)
    .replaceAll('_', ' ')
    .toLowerCase()
}

function dashed(name: string): string {
  return words(name).replaceAll(' ', '-')
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
