import { describe, expect, test } from 'vitest'
import { splitStatements } from './split.ts'

function texts(text: string): string[] {
  return splitStatements(text).map(({ start, end }) => text.slice(start, end))
}

describe('statements', () => {
  test.each<[string, string[]]>([
    ['', []],
    [' ;; -- x\n ; /* ; */', []],
    ['a; b ;c', ['a', 'b', 'c']],
    [' /* x */ a -- y\n ; ', ['a']],
    ['select \';\'; select $$;$$; select ";"', ["select ';'", 'select $$;$$', 'select ";"']],
    ["a; b '; c", ['a', "b '; c"]],
    ['create rule r as on insert to t do (a; b); c', ['create rule r as on insert to t do (a; b)', 'c']],
    ['a ); b', ['a )', 'b']],
    ['begin atomic; end; a', ['begin atomic', 'end', 'a']],
    ['create function f() begin atomic end; a', ['create function f() begin atomic end', 'a']],
    ['create table function begin atomic; end', ['create table function begin atomic', 'end']],
    [
      'CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC select case when a then 1 end; select 1; END; commit',
      ['CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC select case when a then 1 end; select 1; END', 'commit'],
    ],
    [
      'create function f() begin atomic select a end; end; b',
      ['create function f() begin atomic select a end; end', 'b'],
    ],
  ])('%j', (text, expected) => {
    expect(texts(text)).toEqual(expected)
  })

  test('keep their tokens without the semicolon', () => {
    expect(splitStatements('a b; c').map((span) => span.tokens.map((token) => token.text))).toEqual([['a', 'b'], ['c']])
  })
})
