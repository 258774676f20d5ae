import { describe, expect, test } from 'vitest'
import { findSetConfigCalls } from './set-config.ts'
import type { SqlArgument } from './set-config.ts'

function brief(text: string): string[] {
  const show = (argument: SqlArgument): string =>
    argument.kind === 'literal'
      ? JSON.stringify(argument.value)
      : argument.kind === 'parameter'
        ? `$${argument.index}`
        : '?'
  return findSetConfigCalls(text).map(({ name, value, local }) => [name, value, local].map(show).join(' '))
}

describe('calls of set_config', () => {
  test.each<[string, string[]]>([
    ['select 1', []],
    ["select 'set_config(1,2,3)' -- set_config('a', 'b', true)", []],
    ['select set_config from t', []],
    ["select set_config('app.tenant', '42', true)", ['"app.tenant" "42" "true"']],
    ['SELECT PG_CATALOG.SET_CONFIG($1, $12, FALSE)', ['$1 $12 "false"']],
    ['select pg_catalog."set_config"($1::text, ($2)::pg_catalog.text, ($3::boolean))', ['$1 $2 $3']],
    ["select other.set_config('a', 'b', true)", []],
    ["select set_config('a'::varchar::text, cast($1 as character varying), 't')", ['"a" $1 "t"']],
    ["select set_config('a', null, true)", ['"a" null "true"']],
    ["select set_config('a', 1::text, not true)", ['"a" "1" ?']],
    ["select set_config('a', $1::int::text, true)", ['"a" ? "true"']],
    ["select set_config('a', $1::varchar(2), true)", ['"a" ? "true"']],
    ["select set_config('a' || $1, coalesce($2, 'x, y'), (select true))", ['? ? ?']],
    ["select set_config('a', array_to_string(array['b', 'c'], ','), true)", ['"a" ? "true"']],
    [
      "select set_config(E'a\\'b', $$c,d$$, true), set_config('e', 'f', false)",
      ['"a\'b" "c,d" "true"', '"e" "f" "false"'],
    ],
    ["select set_config('a', set_config('b', 'c', true), false)", ['"a" ? "false"', '"b" "c" "true"']],
    ["select set_config('a', 'b')", ['"a" "b" ?']],
    ["select set_config('a', 'b', true", ['"a" "b" ?']],
    ['select set_config()', ['? ? ?']],
  ])('%j', (text, expected) => {
    expect(brief(text)).toEqual(expected)
  })
})
