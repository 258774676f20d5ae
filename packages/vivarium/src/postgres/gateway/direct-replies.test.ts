import { describe, expect, test } from 'vitest'
import { DirectReplies } from './direct-replies.ts'
import type { AwaitedEnd } from './direct-replies.ts'

/** Messages of a server, by letter; built here, not by the code under test. */
function message(letter: string, body = ''): Buffer {
  const bytes = Buffer.from(body, 'latin1')
  const head = Buffer.alloc(5)
  head.write(letter)
  head.writeInt32BE(4 + bytes.length, 1)
  return Buffer.concat([head, bytes])
}

const error = message('E', 'SERROR\0VERROR\0C42P01\0Mno such table\0\0')
const ready = message('Z', 'I')

/** A client and a server that talk, and what is seen of it. */
class Talk {
  readonly replies: DirectReplies = new DirectReplies()
  readonly seen: string[] = []
  readonly shown: string[] = []

  sends(...ends: readonly AwaitedEnd[]): this {
    for (const until of ends) {
      this.replies.await({
        until,
        onDone: (tag) => this.seen.push(`${until} ${tag ?? 'done'}`),
        onError: (fields) => this.seen.push(`${until} ${fields['C']}`),
        onSkipped: () => this.seen.push(`${until} skipped`),
        onReady: (status) => this.seen.push(`${until} ready ${status}`),
      })
    }
    return this
  }

  sendsOurs(until: AwaitedEnd, hidden: 'answers' | 'all'): this {
    this.replies.await({ until, hidden })
    return this
  }

  answers(...messages: readonly Buffer[]): this {
    for (const bytes of messages) {
      const type = bytes[0] as number
      if (this.replies.take(type, bytes, 0, bytes.length)) this.shown.push(String.fromCharCode(type))
    }
    return this
  }
}

describe('whose answer it is', () => {
  test('a simple query has a tag for each statement and ends with ReadyForQuery', () => {
    const talk = new Talk().sends('query')
    talk.answers(message('T'), message('D'), message('C', 'SELECT 1\0'), message('C', 'INSERT 0 1\0'), ready)
    expect(talk.seen).toEqual(['query SELECT 1', 'query INSERT 0 1', 'query ready I'])
    expect(talk.replies.isQuiet).toBe(true)
  })

  test('each message of an extended unit is answered in its turn', () => {
    const talk = new Talk().sends('parse', 'describe', 'bind', 'describe', 'execute', 'close', 'sync')
    talk.answers(message('1'), message('t'), message('n'), message('2'), message('T'))
    expect(talk.seen).toEqual(['parse done', 'describe done', 'bind done', 'describe done'])
    talk.answers(message('s'))
    expect(talk.seen.at(-1)).toBe('execute done')
    expect(talk.replies.isQuiet).toBe(false)
    talk.answers(message('3'), ready)
    expect(talk.seen.slice(-2)).toEqual(['close done', 'sync ready I'])
    expect(talk.replies.isEmpty).toBe(true)
  })

  test('after an error everything up to Sync is skipped, a Query too, and the next unit is not', () => {
    const talk = new Talk().sends('parse', 'bind', 'query', 'sync', 'parse', 'sync')
    talk.answers(error, ready, message('1'), ready)
    expect(talk.seen).toEqual([
      'parse 42P01',
      'bind skipped',
      'query skipped',
      'sync ready I',
      'parse done',
      'sync ready I',
    ])
  })

  test('what is sent after an error and before the Sync is skipped as well', () => {
    const talk = new Talk().sends('parse').answers(error).sends('bind', 'execute', 'sync', 'query')
    expect(talk.seen).toEqual(['parse 42P01', 'bind skipped', 'execute skipped'])
    talk.answers(ready, message('C', 'SELECT 1\0'), ready)
    expect(talk.seen.slice(3)).toEqual(['sync ready I', 'query SELECT 1', 'query ready I'])
  })

  test('an error of a simple query skips nothing that follows', () => {
    const talk = new Talk().sends('query', 'query').answers(error, ready, message('C', 'SELECT 1\0'), ready)
    expect(talk.seen).toEqual(['query 42P01', 'query ready I', 'query SELECT 1', 'query ready I'])
  })
})

test('an error at the Sync itself, of a deferred constraint, is followed by its ReadyForQuery', () => {
  const talk = new Talk().sends('execute', 'sync', 'query').answers(message('C', 'INSERT 0 1\0'), error, ready)
  expect(talk.seen).toEqual(['execute INSERT 0 1', 'sync 42P01', 'sync ready I'])
})

describe('copy data', () => {
  test('a Sync that was sent behind the statement is ignored, the one behind the data counts', () => {
    const talk = new Talk().sends('execute', 'sync').answers(message('G'))
    talk.sends('sync', 'copyEnd', 'sync').answers(message('C', 'COPY 1\0'), ready)
    expect(talk.seen).toEqual(['execute COPY 1', 'sync ready I'])
    expect(talk.replies.isEmpty).toBe(true)
  })

  test('the same when all of it was sent at once', () => {
    const talk = new Talk().sends('execute', 'sync', 'copyEnd', 'sync').answers(message('G'))
    talk.answers(message('C', 'COPY 1\0'), ready)
    expect(talk.seen).toEqual(['execute COPY 1', 'sync ready I'])
    expect(talk.replies.isEmpty).toBe(true)
  })

  test('a copy that fails ends it, and the end that the client still sends means nothing', () => {
    const talk = new Talk().sends('query').answers(message('G'), error)
    expect(talk.replies.isCopyingIn).toBe(false)
    talk.sends('copyEnd').answers(ready).sends('query').answers(message('C', 'SELECT 1\0'), ready)
    expect(talk.seen).toEqual(['query 42P01', 'query ready I', 'query SELECT 1', 'query ready I'])
  })
})

describe('what is ours', () => {
  test('is never seen by the client, and makes no connection busy', () => {
    const talk = new Talk().sendsOurs('query', 'all')
    expect(talk.replies.isQuiet).toBe(true)
    expect(talk.replies.isAnsweringOurs).toBe(true)
    talk.sends('query').answers(message('T'), message('D'), error, ready, message('C', 'SELECT 1\0'), ready)
    expect(talk.shown).toEqual(['C', 'Z'])
  })

  test('of a unit of the client only the error is seen, as the answer to what needed it', () => {
    const talk = new Talk()
      .sendsOurs('parse', 'answers')
      .sends('bind', 'sync')
      .answers(message('1'), message('2'), ready)
    talk.sendsOurs('parse', 'answers').sends('bind', 'sync').answers(error, ready)
    expect(talk.shown).toEqual(['2', 'Z', 'E', 'Z'])
  })
})

test('an error that ends the connection is told to what was running, and answers nothing else', () => {
  const talk = new Talk().sends('query', 'query')
  talk.answers(message('E', 'SFATAL\0VFATAL\0C57P01\0Mbye\0\0'))
  expect(talk.seen).toEqual(['query 57P01'])
  expect(talk.shown).toEqual(['E'])
})
