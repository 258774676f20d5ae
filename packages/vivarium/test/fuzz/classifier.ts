import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { loadModule } from 'libpg-query'
import { brokenCommands, ours, parses, theirs } from '../differential/against-parser.ts'
import { statements } from '../differential/sql-corpus.ts'
import { check, type FuzzResult, type FuzzRun } from './check.ts'

const name = fc.constantFrom('a', 'A', '"A b"', '"a""b"', 'é', '_x1', 'U&"d\\0061t"', '"begin"', 'x$y')
const filler = fc.constantFrom(
  ' ',
  '\n',
  '\t',
  ' /* ; commit */ ',
  ' /* /* nested */ begin; */ ',
  " -- it's; rollback\n",
  '\r\n',
  '/**/ ',
)
const literal = fc.constantFrom(
  "'x'",
  "'it''s; commit'",
  String.raw`E'a\'b; begin'`,
  "U&'d\\0061'",
  "U&'d!0061' uescape '!'",
  '$$; rollback $$',
  '$q$ begin; $$ ; end $q$',
  "b'01'",
  "x'ff'",
  "'a'\n'b'",
  '1',
  '1.5e3',
  '0x1f',
  '1_000',
  'null',
)
const expression = fc.oneof(
  { weight: 4, arbitrary: literal },
  { weight: 2, arbitrary: name },
  {
    weight: 1,
    arbitrary: fc.tuple(name, literal, literal).map(([on, left, right]) => `case ${on} when ${left} then ${right} end`),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(name, literal)
      .map(([on, value]) => `case when ${on} is null then case 1 when 1 then ${value} end else (select ${value}) end`),
  },
  { weight: 1, arbitrary: fc.tuple(literal, literal).map(([left, right]) => `(${left} || ${right})::text`) },
)
const query = fc.oneof(
  fc.tuple(expression, name).map(([value, as]) => `select ${value} as ${as}`),
  fc.tuple(name, expression).map(([table, value]) => `insert into ${table} values (${value})`),
  fc.tuple(name, name, expression).map(([table, column, value]) => `update ${table} set ${column} = ${value}`),
  fc.tuple(name, expression).map(([table, value]) => `delete from ${table} where ${value} is not null`),
)
const body = fc.array(query, { maxLength: 3 }).map((queries) => queries.map((one) => `${one};`).join(' '))
const routine = fc
  .tuple(fc.constantFrom('function', 'procedure', 'or replace function'), name, body)
  .map(([kind, as, inner]) =>
    kind === 'procedure'
      ? `create procedure ${as}() begin atomic ${inner} end`
      : `create ${kind} ${as}() returns int language sql begin atomic ${inner} end`,
  )
const transaction = fc.oneof(
  fc.constantFrom(
    'begin',
    'start transaction',
    'begin isolation level serializable, read only',
    'begin work read write not deferrable',
    'commit',
    'end work',
    'commit and chain',
    'rollback',
    'abort and no chain',
    'set transaction read only',
    'set session characteristics as transaction isolation level repeatable read',
    'set constraints all deferred',
    'discard all',
    'deallocate all',
    'reset all',
  ),
  fc
    .tuple(fc.constantFrom('savepoint', 'release', 'release savepoint', 'rollback to', 'abort work to savepoint'), name)
    .map(([command, of]) => `${command} ${of}`),
  fc.tuple(name, query).map(([as, inner]) => `prepare ${as} as ${inner}`),
  fc.tuple(name, expression).map(([as, value]) => `execute ${as} (${value})`),
  fc.tuple(name, query).map(([as, inner]) => `declare ${as} scroll cursor with hold for ${inner}`),
  fc
    .tuple(fc.constantFrom('deallocate', 'close', 'listen', 'fetch 1 from'), name)
    .map(([command, of]) => `${command} ${of}`),
  fc
    .tuple(fc.constantFrom('', 'local ', 'session '), literal)
    .map(([scope, value]) => `set ${scope}work_mem = ${value}`),
  fc
    .tuple(name, fc.constantFrom('from stdin', 'to stdout'))
    .map(([table, way]) => `copy ${table} ${way} with (format csv)`),
)
const one = fc.oneof(
  { weight: 4, arbitrary: transaction },
  { weight: 3, arbitrary: query },
  { weight: 2, arbitrary: routine },
  { weight: 1, arbitrary: fc.constantFrom(...statements) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', 'do $$ begin commit; end $$', 'call p(1)', 'vacuum', 'explain select 1'),
  },
)

/** The text in another case, but for what stands in quotes. */
function recased(text: string, upper: boolean): string {
  return upper && !/['"$é]/i.test(text) ? text.toUpperCase() : text
}

const texts = fc
  .tuple(
    fc.array(fc.tuple(one, filler, fc.boolean()), { minLength: 1, maxLength: 4 }),
    fc.constantFrom('', ';', ' ; ;'),
    // Something missing or doubled: mostly no text for the server any more.
    fc.option(fc.tuple(fc.nat({ max: 200 }), fc.constantFrom('', ' ', ';', "'", '$$', '/*', 'end')), {
      freq: 3,
      nil: undefined,
    }),
  )
  .map(([parts, tail, damage]) => {
    const whole =
      parts.map(([text, space, upper]) => recased(text, upper).replaceAll(/ (?=[a-z(])/g, () => space)).join(';') + tail
    if (damage === undefined) return whole
    const at = damage[0] % (whole.length + 1)
    return whole.slice(0, at) + damage[1] + whole.slice(at + 1)
  })

/** Generated texts to the classifier and to the server's own parser. */
export async function fuzzClassifier(run: FuzzRun): Promise<FuzzResult> {
  await loadModule()
  return await check(run, texts, async (text) => {
    // The library's grammar also takes parameters where the server's does not; and it drops what is behind a zero byte.
    if (/\$\d|\0/.test(text)) return undefined
    // And its scanner reports comments, also between the two parts of a U&"" name or of a continued string.
    if (/--|\/\*/.test(text) && /uescape|'\s*(?:--|\/\*)/i.test(text)) return undefined
    // An escape that is none: the server refuses the text for it, and in an E'' string we read on.
    if (/\\u/i.test(text) && !parses(text)) return undefined
    const [found, expected] = parses(text) ? [ours(text), theirs(text)] : [brokenCommands(text), []]
    if (isDeepStrictEqual(plain(found), plain(expected))) return undefined
    return {
      lines: [JSON.stringify(text)],
      difference: `ours:   ${JSON.stringify(found)}\ntheirs: ${JSON.stringify(expected)}`,
    }
  })
}

/** Without what is undefined, which says nothing. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}
