import {
  bind,
  copyData,
  copyDone,
  copyFail,
  describePortal,
  describeStatement,
  execute,
  flush,
  parse,
  query,
  run,
  sync,
} from '../../support/wire.ts'
import { exchange, type Script, script } from '../script.ts'

const parents = 'select id, name from parents order by id'

const copyIn = (text: string): ReturnType<typeof exchange> => exchange(query(text), 'G')

/** COPY in both directions. */
export const copyScripts: readonly Script[] = [
  script('copy in, text', [
    copyIn('copy parents from stdin'),
    exchange([copyData('3\tthree\n4\t\\N\n'), copyData('5\t'), copyData('five\n'), copyDone()], 'Z'),
    parents,
  ]),
  script('copy in, csv with header', [
    copyIn('copy items (name, qty) from stdin with (format csv, header)'),
    exchange([copyData('name,qty\n"a, b",3\n"c ""d""",4\n'), copyDone()], 'Z'),
    'select id, name, qty from items order by id',
  ]),
  script('copy out, text and csv and query', [
    'copy parents to stdout',
    'copy (select * from items order by id) to stdout with (format csv, header, force_quote *)',
    'copy (select n from generate_series(1, 1000) n) to stdout',
    'copy (select 1 where false) to stdout',
  ]),
  script('copy out, binary', ["copy (select 1, 'x'::text, null::integer) to stdout with (format binary)"]),
  script('copy in, binary', [
    copyIn('copy parents (id) from stdin with (format binary)'),
    exchange(
      [copyData(Buffer.from('5047434f50590aff0d0a00000000000000000000010000000400000037ffff', 'hex')), copyDone()],
      'Z',
    ),
    parents,
  ]),
  script('copy in, failed by the client', [
    copyIn('copy parents from stdin'),
    exchange([copyData('3\tthree\n'), copyFail('changed my mind')], 'Z'),
    parents,
    'select 1',
  ]),
  script('copy in, bad data', [
    copyIn('copy parents from stdin'),
    exchange([copyData('3\tthree\nx\ty\n4\tfour\n'), copyDone()], 'Z'),
    parents,
    copyIn('copy parents from stdin'),
    exchange([copyData('3\n'), copyDone()], 'Z'),
    parents,
  ]),
  script('copy in, a duplicate key', [
    copyIn('copy parents from stdin'),
    exchange([copyData('3\ta\n1\tb\n'), copyDone()], 'Z'),
    'insert into parents values (3)',
    parents,
  ]),
  script('copy in, then more statements in the same Query', [
    copyIn(`copy parents from stdin; insert into parents values (8, 'after'); select 1`),
    exchange([copyData('3\ta\n'), copyDone()], 'Z'),
    parents,
  ]),
  script('copy in, then a failing statement in the same Query', [
    copyIn(`copy parents from stdin; select 1 / 0`),
    exchange([copyData('3\ta\n'), copyDone()], 'Z'),
    parents,
  ]),
  script('two copies in one Query', [
    copyIn('copy parents from stdin; copy children from stdin'),
    exchange([copyData('3\ta\n'), copyDone()], 'G'),
    exchange([copyData('33\t3\tx\n'), copyDone()], 'Z'),
    'select * from children order by id',
  ]),
  script('copy in with everything in one write', [
    [
      query('copy parents from stdin'),
      copyData('3\ta\n'),
      copyDone(),
      query('insert into parents values (4)'),
      query('select count(*) from parents'),
    ],
  ]),
  script('copy in inside a transaction', [
    'begin',
    copyIn('copy parents from stdin'),
    exchange([copyData('3\ta\n'), copyDone()], 'Z'),
    'savepoint a',
    copyIn('copy parents from stdin'),
    exchange([copyData('3\tb\n'), copyDone()], 'Z'),
    'rollback to a',
    parents,
    'commit',
    parents,
  ]),
  script('copy in and commit in one Query', [
    copyIn(`begin; copy parents from stdin; commit; select 'done'`),
    exchange([copyData('3\ta\n'), copyDone()], 'Z'),
    parents,
    copyIn(`begin; copy parents from stdin; rollback`),
    exchange([copyData('4\ta\n'), copyDone()], 'Z'),
    parents,
  ]),
  script('copy in through the extended protocol', [
    exchange([run('copy parents from stdin'), flush()], 'G'),
    [copyData('3\ta\n'), copyDone(), sync()],
    parents,
    exchange(
      [
        parse('copy parents from stdin', 'c'),
        describeStatement('c'),
        bind({ statement: 'c' }),
        describePortal(),
        execute(),
        flush(),
      ],
      'G',
    ),
    [copyFail('no'), sync()],
    parents,
  ]),
  script('copy in, extended, with its Sync sent ahead', [
    exchange([run('copy parents from stdin'), sync()], 'G'),
    exchange([copyData('3\ta\n'), copyDone(), sync()], 'Z'),
    parents,
  ]),
  script('copy out through the extended protocol', [
    [run('copy parents to stdout'), sync()],
    [run('copy (select 1 / 0) to stdout'), sync()],
    'select 1',
  ]),
  script('copy errors before any data', [
    'copy nowhere from stdin',
    'copy parents (nothing) from stdin',
    'copy nowhere to stdout',
    `copy parents from '/no/such/file'`,
    'copy cheap_items from stdin with (format nonsense)',
  ]),
  script('copy messages outside a copy', [
    exchange([copyData('x'), copyDone(), copyFail('y'), query('select 1')], 'Z'),
    'select 2',
  ]),
  script('a Query during copy in', [
    copyIn('copy parents from stdin'),
    exchange([copyData('3\ta\n'), query('select 1')], 'Z'),
    'select 2',
    parents,
  ]),
  script('Flush and Sync during copy in are ignored', [
    copyIn('copy parents from stdin'),
    exchange([flush(), copyData('3\ta\n'), sync(), copyData('4\tb\n'), flush(), copyDone()], 'Z'),
    parents,
  ]),
  script('a large copy', [
    copyIn('copy parents from stdin'),
    exchange(
      [...Array.from({ length: 200 }, (_, n) => copyData(`${1000 + n}\t${'x'.repeat(2000)}\n`)), copyDone()],
      'Z',
    ),
    'select count(*), sum(length(name)) from parents',
  ]),
]
