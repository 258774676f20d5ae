import { expect, test } from 'vitest'
import { FunctionBook } from './function-book.ts'

const site = { text: 'here:1:1', frames: '' }
const answer = (): undefined => undefined

/** Says things in order, then makes calls; each is what the book decides. */
function play(say: (book: FunctionBook) => void, ...calls: (readonly unknown[])[]): readonly string[] {
  const book = new FunctionBook()
  say(book)
  return calls.map((args) => {
    const decision = book.decide(args)
    if (decision.kind === 'expected') book.take(decision.by)
    return decision.kind
  })
}

/** Expects calls and says how many. */
function expectCalls(book: FunctionBook, args: readonly unknown[] | undefined, count: number): void {
  book.expect(site, args).count = count
}

test.each<[string, (book: FunctionBook) => void, (readonly unknown[])[], string[]]>([
  ['nothing said', () => {}, [[1]], ['unknown']],
  [
    'expected in order',
    (book) => {
      expectCalls(book, [1], 1)
      expectCalls(book, [2], 1)
    },
    [[1], [2], [2]],
    ['expected', 'expected', 'too-many'],
  ],
  [
    'expected in another order',
    (book) => {
      expectCalls(book, [1], 1)
      expectCalls(book, [2], 1)
    },
    [[2], [1]],
    ['differs', 'expected'],
  ],
  ['counted', (book) => expectCalls(book, undefined, 2), [[1], [2], [3]], ['expected', 'expected', 'too-many']],
  ['a stub alone', (book) => book.stubWith(site, answer), [[1], [2]], ['stubbed', 'stubbed']],
  [
    'a stub before an expectation',
    (book) => {
      book.stubWith(site, answer)
      expectCalls(book, [1], 1)
    },
    [[1], [1]],
    ['expected', 'too-many'],
  ],
  [
    'a stub after an expectation',
    (book) => {
      expectCalls(book, [1], 1)
      book.stubWith(site, answer)
    },
    [[1], [5]],
    ['expected', 'stubbed'],
  ],
  [
    'a stub after an expectation that is not yet used up',
    (book) => {
      expectCalls(book, [1], 1)
      book.stubWith(site, answer)
    },
    [[5]],
    ['differs'],
  ],
  ['forbidden', (book) => expectCalls(book, undefined, 0), [[1]], ['forbidden']],
  [
    'forbidden after a stub',
    (book) => {
      book.stubWith(site, answer)
      expectCalls(book, undefined, 0)
    },
    [[1]],
    ['forbidden'],
  ],
  [
    'a stub after it was forbidden',
    (book) => {
      expectCalls(book, undefined, 0)
      book.stubWith(site, answer)
    },
    [[1]],
    ['stubbed'],
  ],
  [
    'certain arguments forbidden, the others stubbed',
    (book) => {
      book.stubWith(site, answer)
      expectCalls(book, [1], 0)
    },
    [[2], [1]],
    ['stubbed', 'forbidden'],
  ],
  [
    'forbidden once what is expected has come',
    (book) => {
      expectCalls(book, [1], 1)
      expectCalls(book, undefined, 0)
    },
    [[1], [1]],
    ['expected', 'forbidden'],
  ],
  ['an argument that is left out', (book) => expectCalls(book, [1, undefined], 1), [[1]], ['expected']],
  ['an argument too many', (book) => expectCalls(book, [1], 1), [[1, 2]], ['differs']],
])('%s', (_, say, calls, decisions) => {
  expect(play(say, ...calls)).toEqual(decisions)
})

test('what is expected again after it was used up is served again', () => {
  const book = new FunctionBook()
  for (const round of [1, 2]) {
    expectCalls(book, [round], 1)
    const decision = book.decide([round])
    expect(decision.kind).toBe('expected')
    if (decision.kind === 'expected') book.take(decision.by)
    expect(book.decide([round]).kind).toBe('too-many')
  }
})
