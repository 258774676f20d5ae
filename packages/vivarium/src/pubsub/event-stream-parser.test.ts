import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EventStreamParser, type ServerSentEvent } from './event-stream-parser.ts'

/** Every event of a stream that comes in these pieces. */
function read(...chunks: readonly (Uint8Array | string)[]): readonly ServerSentEvent[] {
  const parser = new EventStreamParser()
  return chunks.flatMap((chunk) => parser.push(chunk))
}

const message = (data: string, id?: string): ServerSentEvent => ({ type: 'message', data, id })

// The examples of WHATWG HTML, 9.2.6, and the rules around them.
describe('an event stream', () => {
  test.each<[string, string, readonly ServerSentEvent[]]>([
    ['data of several lines', 'data: YHOO\ndata: +2\ndata: 10\n\n', [message('YHOO\n+2\n10')]],
    [
      'a comment, ids, and one that is taken back',
      ': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n',
      [message('first event', '1'), message('second event', ''), message(' third event', '')],
    ],
    ['data without a value, and an end that never comes', 'data\n\ndata\ndata\n\ndata:', [message(''), message('\n')]],
    ['one space behind the colon', 'data:test\n\ndata: test\n\n', [message('test'), message('test')]],
    [
      'a type, which ends with its event',
      'event: add\ndata: 1\n\ndata: 2\n\n',
      [{ ...message('1'), type: 'add' }, message('2')],
    ],
    ['an event without data is none, and its type is forgotten', 'event: add\n\ndata: 1\n\n', [message('1')]],
    [
      'an id lasts, one with a NUL does not count',
      'id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n',
      [message('a', '1'), message('b', '1')],
    ],
    ['fields that it does not know', 'foo: bar\nDATA: x\ndata: 1\n\n', [message('1')]],
    ['CR, LF and CR LF end lines', 'data: 1\r\rdata: 2\r\n\r\ndata: 3\n\n', [message('1'), message('2'), message('3')]],
    ['a colon in the data', 'data: a: b\n\n', [message('a: b')]],
  ])('%s', (_, stream, events) => {
    expect(read(stream)).toEqual(events)
  })

  test('a byte order mark at its beginning is none of the data', () => {
    expect(read(Buffer.from('\uFEFFdata: 1\n\n'))).toEqual([message('1')])
  })

  test('retry takes digits only', () => {
    const parser = new EventStreamParser()
    parser.push('retry: 10x\n')
    expect(parser.retryMs).toBe(undefined)
    parser.push('retry: 2500\n')
    expect(parser.retryMs).toBe(2500)
  })

  test('it reads the same whatever the chunks are, also inside a character and inside a CR LF', () => {
    const stream = Buffer.from('id: 1\r\nevent: größe\r\ndata: 🚀\r\ndata: zwei\r\n\r\n: c\r\rdata: é\n\n')
    const whole = read(stream)
    expect(whole).toHaveLength(2)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: stream.length })), (cuts) => {
        const at = [0, ...cuts.toSorted((one, other) => one - other), stream.length]
        expect(read(...at.slice(1).map((end, index) => stream.subarray(at[index], end)))).toEqual(whole)
      }),
    )
  })
})
