import type { ColumnType } from '../catalogue/catalogue.ts'

/**
 * A value as a row has it, from Postgres' text. As the `pg` package reads it by default, but for two types: `bigint` is a number
 * where that is exact and else a bigint, and `date`, which has no time, is its text.
 *
 * | Postgres | in a row |
 * | --- | --- |
 * | `smallint`, `integer`, `bigint`, `oid`, `real`, `double precision` | number (`bigint` past 2^53) |
 * | `numeric`, `money` | string: exact |
 * | `boolean` | boolean |
 * | `timestamp`, `timestamptz` | Date (`infinity`: a number) |
 * | `json`, `jsonb` | what it holds |
 * | `bytea` | Buffer |
 * | arrays, multiranges | array |
 * | composite types | object by attribute |
 * | all others, `date`, `time`, `interval` and ranges as well | string |
 */
export function readValue(type: ColumnType, text: string): unknown {
  switch (type.kind) {
    case 'domain':
      return readValue(type.base, text)
    case 'array':
      return readArray(text, type.element)
    case 'multirange':
      return text.match(/[[(][^\])]*[\])]/g) ?? []
    case 'composite': {
      const fields = readComposite(text)
      return Object.fromEntries(
        type.attributes.map(({ name, type: part }, index) => {
          const field = fields[index]
          return [name, field === null || field === undefined ? null : readValue(part, field)]
        }),
      )
    }
    case 'enum':
    case 'range':
      return text
    case 'base':
      return readers[type.name]?.(text) ?? text
  }
}

const readers: Readonly<Record<string, (text: string) => unknown>> = {
  bool: (text) => text === 't',
  int2: Number,
  int4: Number,
  int8: (text) => (Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text)),
  oid: Number,
  float4: Number,
  float8: Number,
  json: (text) => JSON.parse(text) as unknown,
  jsonb: (text) => JSON.parse(text) as unknown,
  bytea: (text) => Buffer.from(text.slice(2), 'hex'),
  timestamp: readTime,
  timestamptz: readTime,
}

/** `2024-01-02 03:04:05.678+02`, in years of any length, before Christ as well. */
const time = /^(\d{4,})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(\.\d+)?(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?( BC)?$/

function readTime(text: string): unknown {
  if (text === 'infinity') return Infinity
  if (text === '-infinity') return -Infinity
  const found = time.exec(text)
  if (found === null) return text
  const [years, month, day, hours, minutes, seconds] = found.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const year = found[12] === undefined ? years : 1 - years
  const milliseconds = Number((found[7] ?? '.').slice(1, 4).padEnd(3, '0'))
  const date = new Date(0)
  if (found[8] === undefined) {
    date.setFullYear(year, month - 1, day)
    date.setHours(hours, minutes, seconds, milliseconds)
    return date
  }
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hours, minutes, seconds, milliseconds)
  const east = Number(found[9]) * 3600 + Number(found[10] ?? 0) * 60 + Number(found[11] ?? 0)
  return new Date(date.getTime() - (found[8] === '-' ? -1 : 1) * east * 1000)
}

/** `{1,NULL,"a \"b\""}`, of any depth; `[0:1]={…}` as well. */
function readArray(text: string, element: ColumnType): unknown[] {
  const delimiter = element.name === 'box' ? ';' : ','
  let at = text.indexOf('{')
  const readList = (): unknown[] => {
    const list: unknown[] = []
    at++
    while (at < text.length && text[at] !== '}') {
      if (text[at] === '{') list.push(readList())
      else if (text[at] === '"') list.push(readValue(element, readQuoted()))
      else {
        const start = at
        while (at < text.length && text[at] !== delimiter && text[at] !== '}') at++
        const word = text.slice(start, at)
        list.push(word === 'NULL' ? null : readValue(element, word))
      }
      if (text[at] === delimiter) at++
    }
    at++
    return list
  }
  const readQuoted = (): string => {
    let read = ''
    for (at++; at < text.length && text[at] !== '"'; at++) {
      if (text[at] === '\\') at++
      read += text[at]
    }
    at++
    return read
  }
  return readList()
}

/** `(1,,"a ""b""")`: an empty field is NULL. */
function readComposite(text: string): (string | null)[] {
  const fields: (string | null)[] = []
  let field = ''
  let isQuoted = false
  let wasQuoted = false
  for (let at = 1; at < text.length; at++) {
    const char = text[at] ?? ''
    if (isQuoted) {
      if (char === '\\' || (char === '"' && text[at + 1] === '"')) field += text[++at] ?? ''
      else if (char === '"') isQuoted = false
      else field += char
    } else if (char === '"') {
      isQuoted = true
      wasQuoted = true
    } else if (char === ',' || (char === ')' && at === text.length - 1)) {
      fields.push(field === '' && !wasQuoted ? null : field)
      field = ''
      wasQuoted = false
    } else field += char
  }
  return fields
}
