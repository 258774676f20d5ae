import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RawRequest } from '../protocol/raw-request.ts'
import { RequestWriter } from '../protocol/request-writer.ts'
import { writeRequest } from '../protocol/requests.ts'
import { CommandIndex, findPlaces } from './command-index.ts'
import type { CommandTable } from './command-table.ts'
import type { PlanContext } from './plan.ts'
import { planCommand } from './planner.ts'

const table: CommandTable = {
  get: {
    reads: true,
    keys: [
      [
        ['at', 1],
        ['to', 0, 1, 0],
      ],
    ],
  },
  del: {
    writes: true,
    keys: [
      [
        ['at', 1],
        ['to', -1, 1, 0],
      ],
    ],
  },
  mset: {
    writes: true,
    keys: [
      [
        ['at', 1],
        ['to', -1, 2, 0],
      ],
    ],
  },
  rename: {
    writes: true,
    keys: [
      [
        ['at', 1],
        ['to', 0, 1, 0],
      ],
      [
        ['at', 2],
        ['to', 0, 1, 0],
      ],
    ],
  },
  bitop: {
    writes: true,
    keys: [
      [
        ['at', 2],
        ['to', 0, 1, 0],
      ],
      [
        ['at', 3],
        ['to', -1, 1, 0],
      ],
    ],
  },
  blpop: {
    writes: true,
    blocks: true,
    keys: [
      [
        ['at', 1],
        ['to', -2, 1, 0],
      ],
    ],
  },
  sort: {
    writes: true,
    partial: true,
    keys: [
      [
        ['at', 1],
        ['to', 0, 1, 0],
      ],
    ],
  },
  mget: {
    reads: true,
    keys: [
      [
        ['at', 1],
        ['to', -1, 1, 0],
      ],
    ],
  },
  object: { keys: [] },
  'object|encoding': {
    reads: true,
    keys: [
      [
        ['at', 2],
        ['to', 0, 1, 0],
      ],
    ],
  },
}
const keyPrefix = Buffer.from('vivarium:run:1:0:')
const index = new CommandIndex(table)

test('prefixes are put before the keys as the bytes are copied exactly as when a command is taken apart', () => {
  const name = fc.constantFrom('GET', 'get', 'DEL', 'MSET', 'RENAME', 'BITOP', 'OBJECT')
  const argument = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array)),
    fc.constant(Buffer.from('encoding')),
    fc.integer({ min: 16_300, max: 16_450 }).map((length) => Buffer.alloc(length, 'x')),
  )
  fc.assert(
    fc.property(
      fc.array(fc.tuple(name, fc.array(argument, { maxLength: 6 })), { minLength: 1, maxLength: 8 }),
      (many) => {
        const writer = new RequestWriter()
        const written: string[] = []
        const wanted: Buffer[] = []
        const keys: string[] = []
        for (const [word, args] of many) {
          const request = [Buffer.from(word), ...args]
          const raw = RawRequest.of(request)
          const known = index.identify(raw)
          const plan = planCommand(request, known, { keyPrefix } as PlanContext)
          if (known.places === undefined || plan.kind !== 'send') continue
          writer.writeWithPrefix(raw, findPlaces(known.places, raw.count, [])!, keyPrefix, {
            wrote: (prefix, bytes, begin, end) =>
              written.push(`${prefix.toString()}${bytes.toString('latin1', begin, end)}`),
          })
          wanted.push(writeRequest(plan.request))
          keys.push(...plan.keys.map((key) => keyPrefix.toString() + key.toString('latin1')))
        }
        expect(Buffer.concat(writer.take()).equals(Buffer.concat(wanted))).toBe(true)
        expect(written).toEqual(keys)
        expect(writer.isEmpty).toBe(true)
      },
    ),
    { numRuns: 300 },
  )
})

test.each(['blpop', 'sort', 'mget', 'watch', 'nosuch'])('of %s more has to be done', (word) => {
  expect(index.identify(RawRequest.of([Buffer.from(word), Buffer.from('a')])).places).toBeUndefined()
})

test('a command is known in any spelling, and by its subcommand', () => {
  const names = [['gEt', 'a'], ['OBJECT', 'Encoding', 'a'], ['object', 'nosuch'], ['object']].map(
    (words) => index.identify(RawRequest.of(words.map((word) => Buffer.from(word)))).name,
  )
  expect(names).toEqual(['get', 'object|encoding', 'object', 'object'])
})
