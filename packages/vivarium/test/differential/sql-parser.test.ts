import fc from 'fast-check'
import { loadModule, scanSync } from 'libpg-query'
import { beforeAll, describe, expect, test } from 'vitest'
import { classify } from '../../src/postgres/sql/classify.ts'
import { tokenize } from '../../src/postgres/sql/lexer.ts'
import { brokenCommands, isTransactionKind, ours, parses, theirs } from './against-parser.ts'
import { brokenStatements, statements } from './sql-corpus.ts'

/*
 * libpg-query is PostgreSQL 18's own scanner and parser: what it makes of a text is what the server would.
 */

beforeAll(() => loadModule())

describe('against the parser of PostgreSQL 18', () => {
  test('the corpus is large enough to mean something', () => {
    expect(new Set(statements).size).toBeGreaterThanOrEqual(150)
  })

  test.each(statements)('%s', (text) => {
    expect(ours(text)).toEqual(theirs(text))
  })

  test.each(brokenStatements)('refuses, as the server does: %s', (text) => {
    expect(parses(text)).toBe(false)
    expect(classify(text).map((statement) => statement.kind)).not.toContainEqual(expect.toSatisfy(isTransactionKind))
  })

  test('comments, case and white space between tokens change nothing', () => {
    fc.assert(
      fc.property(disguised(), (text) => {
        expect(ours(text)).toEqual(theirs(text))
      }),
      { numRuns: 600 },
    )
  })

  test('several statements in one text are told apart', () => {
    fc.assert(
      fc.property(fc.array(disguised(), { maxLength: 6 }), fc.boolean(), (texts, closed) => {
        const text = texts.join(' ;') + (closed ? ';' : '')
        expect(ours(text)).toEqual(theirs(text))
      }),
      { numRuns: 300 },
    )
  })

  test('a statement that lost, doubled or swapped a word is a command exactly when the server takes it for one', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...statements),
        fc.nat(),
        fc.constantFrom('drop', 'double', 'swap'),
        mutateAndCompare,
      ),
      { numRuns: 2000 },
    )
  })

  test('two halves of two commands are a command exactly when the server takes them for one', () => {
    const commands = statements.filter((text) => text.length < 80 && !text.includes(';'))
    const pair = fc.tuple(fc.constantFrom(...commands), fc.constantFrom(...commands), fc.nat(), fc.nat())
    fc.assert(
      fc.property(pair, ([left, right, cutLeft, cutRight]) => {
        const head = rawTokens(left)
        const tail = rawTokens(right)
        compare([...head.slice(0, cutLeft % (head.length + 1)), ...tail.slice(cutRight % (tail.length + 1))].join(' '))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('against the scanner of PostgreSQL 18', () => {
  const pieces = [
    `a _ é 😀 1 $ ' " \\ ; ( ) . , : - / * + = < @ '' "" $$ $a$ $1 e' E' u&' U&" b' x' u& -- /* */ :: := .. 1. .5 e5 \\'`,
    `|| 0x1f 1_000 <= =- @- begin`,
  ].flatMap((line) => line.split(' '))
  pieces.push('\n', ' ', '\t', '\r', "'\n'", "' \r '")

  test('every token begins and ends where the server sees it', () => {
    let compared = 0
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 14 }), (parts) => {
        const text = parts.join('')
        const scanned = scan(text)
        if (scanned === undefined) return
        const tokens = tokenize(text)
        // The scanner leaves the escapes of U& literals to the parser, which refuses the text: see the lexer's own tests.
        if (tokens.at(-1)?.kind === 'unterminated') return
        compared++
        expect(tokens.map(({ start, end }) => text.slice(start, end))).toEqual(scanned)
      }),
      { numRuns: 8000 },
    )
    expect(compared).toBeGreaterThan(500)
  })

  test('a text that ends within a string, name or comment is found unterminated', () => {
    const openings = [`'a`, `e'a\\'`, `"a`, `$a$ $b$`, `/* /* */`, `u&'`, `u&"`, `b'1`, `$$ ; $`, `'a' \n 'b`]
    for (const opening of openings) {
      expect(scan(`select ${opening}`)).toBeUndefined()
      expect(tokenize(`select ${opening}`).at(-1)).toMatchObject({ kind: 'unterminated', start: 7 })
    }
  })

  test('keywords stand as a name exactly where the grammar lets them', () => {
    const { tokens } = scanSync(keywordCandidates)
    for (const { text } of tokens) compare(`savepoint ${text}`)
    expect(tokens.length).toBeGreaterThan(100)
  })
})

const keywordCandidates = `abort all analyse analyze and any array as asc asymmetric authorization begin between bigint binary bit
  both cascade case cast check chain collate collation column commit concurrently constraint create cross current_catalog
  current_date current_role current_schema current_time current_timestamp current_user cursor default deferrable desc
  distinct do else end except exists false fetch for foreign freeze from full grant group grouping having ilike in
  initially inner intersect interval into is isnull join json_table lateral leading left level like limit local localtime
  localtimestamp merge_action names natural none normalize not notnull null nullif off offset on only or order out outer
  overlaps overlay placing position prepare primary prepared references release returning right role rollback row
  savepoint select session session_user set similar some substring symmetric system_user table tablesample then time to
  trailing transaction treat trim true uescape union unique user using values varchar variadic verbose when where window
  with within without work xmlconcat zone merge ordinality returning old new virtual enforced`

function mutateAndCompare(statement: string, seed: number, how: string): void {
  const tokens = rawTokens(statement)
  const at = seed % tokens.length
  if (how === 'drop') tokens.splice(at, 1)
  else if (how === 'double') tokens.splice(at, 0, tokens[at] as string)
  else tokens.splice(at, 2, ...tokens.slice(at, at + 2).reverse())
  compare(tokens.join(' '))
}

/** Where the server parses the text, all agrees; where it does not, no statement that fails alone is a command. */
function compare(text: string): void {
  // The library's grammar also takes parameters where the server's does not (SET x TO $1).
  if (/\$\d/.test(text)) return
  const [found, expected] = parses(text) ? [ours(text), theirs(text)] : [brokenCommands(text), []]
  expect({ text, found }).toEqual({ text, found: expected })
}

function rawTokens(text: string): string[] {
  return tokenize(text).map((token) => token.text)
}

function disguised(): fc.Arbitrary<string> {
  const filler = fc.constantFrom(
    ' ',
    '\n',
    '\t\r\n',
    ' /* ; */ ',
    " /* a /* b */ ' */",
    ' -- it\'s; "\n',
    ' --\n/**/',
    '\f \v',
  )
  return fc
    .tuple(
      fc.constantFrom(...statements),
      fc.array(filler, { minLength: 8, maxLength: 8 }),
      fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }),
    )
    .map(([statement, fillers, upper]) =>
      tokenize(statement)
        .map((token, index) => {
          const text = token.kind === 'word' && upper[index % 7] ? token.text.toUpperCase() : token.text
          return fillers[index % 8] + text
        })
        .join(''),
    )
}

/**
 * Token texts as the server cuts them, comments left out; undefined when it refuses the text, and where a comment
 * stands between two parts of one string: this library's scanner, which reports comments, splits the string there.
 */
function scan(text: string): string[] | undefined {
  const bytes = Buffer.from(text)
  try {
    const { tokens } = scanSync(text)
    if (/'[ \t\f\v]*--|'\s*[\n\r]\s*--/.test(text) && tokens.some((token) => token.tokenName === 'SQL_COMMENT'))
      return undefined
    return tokens
      .filter((token) => !token.tokenName.endsWith('COMMENT'))
      .map((token) => bytes.subarray(token.start, token.end).toString())
  } catch {
    return undefined
  }
}
