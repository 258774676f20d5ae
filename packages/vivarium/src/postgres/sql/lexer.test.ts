import { describe, expect, test } from 'vitest'
import { tokenize } from './lexer.ts'
import { truncateIdentifier } from './literals.ts'

function brief(text: string): string[] {
  return tokenize(text).map((token) => `${token.kind} ${token.value}`)
}

describe('tokens', () => {
  test.each<[string, string[]]>([
    ['SELECT Foo, "Bar"', ['word select', 'word foo', 'punctuation ,', 'quotedIdentifier Bar']],
    ['ÄRGER_x$1', ['word Ärger_x$1']],
    ['-- all\n/* of /* this */ */', []],
    ["'it''s'", ["string it's"]],
    ["'a\\' z'c'", ['string a\\', 'word z', 'string c']],
    ["E'a\\'b\\n\\\\'", ["string a'b\n\\"]],
    ["e'\\x41\\101\\u0041\\U00000041\\q'", ['string AAAAq']],
    ["E'\\xc3\\xa9\\303\\251'", ['string éé']],
    ["E'\\ud83d\\ude00'", ['string 😀']],
    ["E'a'''", ["string a'"]],
    ["E'\\\\''x'", ["string \\'x"]],
    ["U&'d\\0061t\\+01F600\\\\'", ['string dat😀\\']],
    ["U&'d!0061' UESCAPE '!'", ['string da']],
    ["U&'d!0061' /* x */ uescape E'!'", ['string da']],
    ["U&'a''b' + 1", ["string a'b", 'operator +', 'number 1']],
    ['U&"d\\0061""t"', ['quotedIdentifier da"t']],
    ['U&"d!0061" uescape \'!\'', ['quotedIdentifier da']],
    ['U&"a" uescapee', ['quotedIdentifier a', 'word uescapee']],
    ['u & x', ['word u', 'operator &', 'word x']],
    ["B'01' X'1F' N'x'", ['string 01', 'string 1F', 'string x']],
    ["X'1''2'", ['string 1', 'string 2']],
    ["'a'\n'b'", ['string ab']],
    ["'a' -- c\n  -- d\n  'b'", ['string ab']],
    ["'a' 'b'", ['string a', 'string b']],
    ["'a' /* c */\n'b'", ['string a', 'string b']],
    ["E'a\\''\n'\\'b'", ["string a''b"]],
    ['$$a$$ $x$ $$ $y$ $x$', ['string a', 'string  $$ $y$ ']],
    ['$1 $22a', ['parameter $1', 'parameter $22', 'word a']],
    ['a$b$ c$b$', ['word a$b$', 'word c$b$']],
    ['$1$ a $1$', ['parameter $1', 'punctuation $', 'word a', 'parameter $1', 'punctuation $']],
    ['$Ä$;$Ä$', ['string ;']],
    [
      'a::int b:=1 c=>2',
      ['word a', 'operator ::', 'word int', 'word b', 'operator :=', 'number 1', 'word c', 'operator =>', 'number 2'],
    ],
    [
      '1..2 1.5 .5 1e-3 0x_1F 1_000 1.',
      [
        'number 1',
        'operator ..',
        'number 2',
        'number 1.5',
        'number .5',
        'number 1e-3',
        'number 0x_1F',
        'number 1_000',
        'number 1.',
      ],
    ],
    ['a=-1', ['word a', 'operator =', 'operator -', 'number 1']],
    ['a@-1', ['word a', 'operator @-', 'number 1']],
    ['a*/*c*/b', ['word a', 'operator *', 'word b']],
    ['a+--c\nb', ['word a', 'operator +', 'word b']],
    ['a/b', ['word a', 'operator /', 'word b']],
    ['/*/**/*/a', ['word a']],
    ['a\u00a0b', ['word a\u00a0b']],
  ])('%j', (text, expected) => {
    expect(brief(text)).toEqual(expected)
  })

  test('carry their place in the text', () => {
    expect(tokenize(' a /**/ "😀";').map(({ start, end }) => [start, end])).toEqual([
      [1, 2],
      [8, 12],
      [12, 13],
    ])
  })

  test.each([
    `'a`,
    `e'a\\'`,
    `"a`,
    `$a$ $b$`,
    `/* /* */`,
    `U&'a`,
    `U&"a`,
    `U&"d\\061"`,
    `U&"\\0000"`,
    `U&"\\D800"`,
    `U&"d!0061" uescape '+'`,
    `b'1`,
    `$$ ;`,
    `'a'\n'b`,
    `E'\\`,
  ])('hold the rest of the text where it ends too early: %s', (rest) => {
    const tokens = tokenize(`x ${rest}`)
    expect(tokens).toHaveLength(2)
    expect(tokens[1]).toMatchObject({ kind: 'unterminated', text: rest, start: 2, end: rest.length + 2 })
  })

  test('a comment before UESCAPE that does not end is found once', () => {
    expect(brief("U&'a' /* x")).toEqual(['string a', 'unterminated /* x'])
  })
})

describe('identifiers', () => {
  test('are cut to 63 bytes at the boundary of a character', () => {
    expect(truncateIdentifier('a'.repeat(63))).toHaveLength(63)
    expect(truncateIdentifier('a'.repeat(64))).toHaveLength(63)
    expect(truncateIdentifier('é'.repeat(32))).toBe('é'.repeat(31))
    expect(truncateIdentifier('😀'.repeat(16))).toBe('😀'.repeat(15))
    expect(truncateIdentifier('éé')).toBe('éé')
  })
})
