import {
  bind, closeStatement, copyData, copyDone, copyFail, describePortal, describeStatement, execute, flush, functionCall, parse, query, run, runNamed, sync,
} from '../../support/wire.ts'
import { exchange, type Script, script } from '../script.ts'

const parents = 'select id, name from parents order by id'

/** SQL-level PREPARE, cursors, settings, sequences. */
export const sessionScripts: readonly Script[] = [
  script('prepare, execute, deallocate', [
    'prepare p (integer) as select id, name from items where id = $1',
    'execute p (1)', 'execute p (2)', 'execute p', `execute p ('x')`,
    'prepare p as select 1',
    'deallocate p', 'execute p (1)', 'deallocate p', 'deallocate prepare p',
  ]),
  script('prepare in a transaction that is rolled back', ['begin', 'prepare p as insert into parents values (3)', 'execute p', 'rollback', 'execute p', parents, 'deallocate all']),
  script('deallocate all', [
    'prepare a as select 1', 'prepare "B c" as select 2', 'execute "B c"',
    [parse('select 3', 'wire'), sync()],
    'deallocate all', 'execute a',
    [runNamed('wire'), sync()],
    'prepare a as select 4', 'execute a',
  ]),
  script('names of PREPARE and of Parse are the same names', [
    [parse('select $1::integer + 1', 'shared'), sync()],
    'execute shared (1)',
    'prepare shared as select 1',
    'deallocate shared',
    [runNamed('shared', ['1']), sync()],
    'prepare made (integer) as select $1 * 2',
    [runNamed('made', ['21']), sync()],
    [describeStatement('made'), sync()],
    [closeStatement('made'), sync()],
    'execute made (1)',
  ]),
  script('prepared statements are listed', [
    'prepare listed as select 1',
    [parse('select 2', 'wired'), sync()],
    `select name, statement, from_sql, parameter_types from pg_prepared_statements order by name`,
  ]),
  script('execute of a writing statement, and create table as execute', [
    'prepare w (integer) as insert into parents values ($1) returning id',
    'execute w (3)', 'execute w (3)', 'begin; execute w (4); rollback',
    'prepare r as select * from parents', 'create table copied as execute r', 'select count(*) from copied', 'explain (costs off) execute r',
  ]),
  script('a cursor in a transaction', [
    'begin', 'declare c cursor for select id, name from items order by id', 'fetch c', 'fetch 2 from c', 'fetch c', 'fetch backward 1 from c',
    'move absolute 1 in c', 'fetch all from c', 'close c', 'fetch c', 'rollback',
  ]),
  script('scrolling', [
    'begin', 'declare c scroll cursor for select n from generate_series(1, 10) n', 'fetch last from c', 'fetch prior from c', 'fetch absolute 3 from c', 'fetch relative -2 from c', 'move forward 4 in c', 'fetch first from c',
    'declare n no scroll cursor for select 1', 'fetch n', 'fetch prior from n', 'commit', 'fetch c',
  ]),
  script('cursors outside a transaction', ['declare c cursor for select 1', 'fetch c', 'close c', 'close all', 'declare c cursor for select 1; fetch c', 'begin; declare c cursor for select 1; fetch c; commit']),
  script('a cursor with hold', [
    'declare h cursor with hold for select id from items order by id', 'fetch h', 'begin', 'fetch h', 'commit', 'fetch h', 'fetch h', 'close h', 'fetch h',
    'begin', 'declare k cursor with hold for select id from items order by id', 'fetch k', 'commit', 'fetch k', 'close k',
    'begin', 'declare m cursor with hold for select 1', 'rollback', 'fetch m',
  ]),
  script('a cursor and savepoints', [
    'begin', 'declare c cursor for select n from generate_series(1, 9) n', 'fetch c', 'savepoint a', 'fetch c', 'declare d cursor for select 1', 'rollback to a', 'fetch c', 'fetch d', 'rollback',
  ]),
  script('a cursor for update', ['begin', 'declare c cursor for select * from parents order by id for update', 'fetch c', `update parents set name = 'cursor' where current of c`, 'delete from parents where current of nowhere', 'rollback', parents]),
  script('cursors are listed', ['begin', 'declare "My C" scroll cursor for select 1', 'select name, statement, is_holdable, is_binary, is_scrollable from pg_cursors order by name', 'commit']),
  script('a cursor through the extended protocol', [
    [run('begin'), sync()],
    [run('declare c cursor for select id from items order by id'), sync()],
    [run('fetch 2 from c'), sync()],
    [bind({ statement: '', portal: 'c' }), sync()],
    [run('rollback'), sync()],
  ]),
  script('set, show and reset', [
    `set work_mem = '7MB'`, 'show work_mem', 'reset work_mem', 'show work_mem', `set work_mem to default`, `set no_such_setting = 1`, `set work_mem = 'a lot'`, `set my.own = 'x'`, 'show my.own', 'reset my.own', 'show my.own', 'show no_such_setting',
  ]),
  script('settings the client is told about', [
    `set application_name = 'me'`, `set timezone = 'America/New_York'`, `select timestamptz '2024-01-01 00:00:00+00'`, `set datestyle = 'SQL, DMY'`, `select date '2024-12-31'`,
    `set client_encoding = 'LATIN1'`, 'reset client_encoding', `set intervalstyle = 'iso_8601'`, `set standard_conforming_strings = off`, `reset all`, 'show timezone', 'show application_name',
  ]),
  script('settings and rollback', [
    'begin', `set timezone = 'Asia/Tokyo'`, `set work_mem = '7MB'`, 'rollback', 'show timezone', 'show work_mem',
    'begin', `set timezone = 'Asia/Tokyo'`, 'commit', 'show timezone', 'reset timezone',
    'begin', 'savepoint a', `set work_mem = '7MB'`, 'rollback to a', 'show work_mem', 'savepoint b', `set work_mem = '8MB'`, 'release b', 'commit', 'show work_mem', 'reset all',
  ]),
  script('a setting made by a unit that fails', [`set timezone = 'Asia/Tokyo'; select 1 / 0`, 'show timezone', `set work_mem = '7MB'; select 1`, 'show work_mem', 'select 1 / 0', 'show work_mem']),
  script('set local', [
    `set local work_mem = '7MB'`, 'show work_mem',
    'begin', `set local work_mem = '7MB'`, `set local timezone = 'Asia/Tokyo'`, 'show work_mem', 'commit', 'show work_mem', 'show timezone',
    'begin', `set local work_mem = '7MB'`, 'rollback', 'show work_mem',
    `begin; set local work_mem = '7MB'; show work_mem; commit; show work_mem`,
  ]),
  script('set local and savepoints', ['begin', 'savepoint a', `set local work_mem = '7MB'`, 'release a', 'show work_mem', 'savepoint b', `set local work_mem = '8MB'`, 'rollback to b', 'show work_mem', 'commit', 'show work_mem']),
  script('set_config', [
    `select set_config('my.own', 'session', false)`, `select current_setting('my.own')`,
    'begin', `select set_config('my.own', 'local', true)`, `select current_setting('my.own')`, 'commit', `select current_setting('my.own')`,
    `select set_config('my.own', 'autocommit', true)`, `select current_setting('my.own')`, `select current_setting('my.none', true)`,
  ]),
  script('set and set local, together', ['begin', `set work_mem = '7MB'`, `set local work_mem = '8MB'`, 'show work_mem', 'commit', 'show work_mem', 'reset work_mem']),
  script('search_path', [
    'select count(*) from items', 'set search_path = other, public', 'select * from items', 'select current_schemas(false)', 'begin', 'set local search_path = public', 'select count(*) from items', 'commit', 'select * from items', 'set search_path to default', 'select count(*) from items',
  ]),
  script('start-up parameters', ['show application_name', 'show timezone', 'show search_path', 'reset all', 'show timezone', 'show search_path'], {
    startup: { application_name: 'a program', TimeZone: 'Europe/Paris', search_path: 'other,public', client_encoding: 'UTF8' },
  }),
  script('start-up options', ['show work_mem', 'show statement_timeout', 'reset work_mem', 'show work_mem'], { startup: { options: '-c work_mem=9MB -c statement_timeout=60000' } }),
  script('a statement time-out ends only the statement', [`set statement_timeout = '50ms'`, 'select pg_sleep(5)', 'select 1', 'begin', 'select pg_sleep(5)', 'select 1', 'rollback', 'reset statement_timeout', 'select 2']),
  script('roles', ['select current_user = session_user', 'set role none', 'reset role', 'set role no_such_role', 'set session authorization default', 'select current_user = session_user']),
  script('discard', [
    'create temp table scratch (id integer)', 'prepare p as select 1', `set work_mem = '7MB'`, `select nextval('tickets')`,
    'discard plans', 'discard sequences', `select currval('tickets')`, 'execute p', 'discard temp', 'select * from scratch',
    'discard all', 'execute p', 'show work_mem', 'begin', 'discard all', 'rollback', 'select 1; discard all',
  ]),
  script('advisory locks', [
    'select pg_advisory_lock(1), pg_try_advisory_lock(2)', 'select pg_advisory_unlock(1)', 'select pg_advisory_unlock(1)', 'select pg_advisory_unlock_all()',
    'begin', 'select pg_advisory_xact_lock(3)', `select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`, 'commit',
    `select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`,
  ]),
  script('sequences', [
    `select nextval('tickets'), nextval('tickets')`, `select currval('tickets'), lastval()`, `select setval('tickets', 500)`, `select nextval('tickets')`, `select setval('tickets', 700, false)`, `select nextval('tickets')`,
    `select last_value, is_called from tickets`, `select currval('unused_numbers')`, 'alter sequence tickets restart with 9', `select nextval('tickets')`,
  ]),
  script('a sequence does not go back in a rolled-back transaction', [
    'begin', `select nextval('tickets')`, 'rollback', `select nextval('tickets')`, 'begin', 'savepoint a', `insert into items (name) values ('x') returning id`, 'rollback to a', `insert into items (name) values ('x') returning id`, 'commit',
    `insert into items (name) values ('x')`, `insert into items (name) values ('y') returning id`,
  ]),
  script('a sequence in a unit that fails', [`select nextval('tickets'); select 1 / 0`, `select nextval('tickets')`, [run(`select nextval('tickets')`), run('select 1 / 0'), sync()], `select nextval('tickets')`, 'select lastval()']),
  script('lastval without a sequence used', ['select lastval()', `select currval('tickets')`]),
  script('sequence restart is undone by rollback', ['begin', `select nextval('tickets')`, 'alter sequence tickets restart with 9', `select nextval('tickets')`, 'rollback', `select nextval('tickets')`]),
]

/** Constraints checked at commit. */
export const deferredScripts: readonly Script[] = [
  script('a deferred constraint fails at commit', ['begin', 'insert into nodes values (1, 2)', 'select * from nodes', 'commit', 'select * from nodes']),
  script('a deferred constraint mended before commit', ['begin', 'insert into nodes values (1, 2)', 'insert into nodes values (2, null)', 'commit', 'select * from nodes']),
  script('a deferred constraint fails in autocommit, simple', ['insert into nodes values (1, 2)', 'select * from nodes', 'insert into nodes values (3, 3) returning id', 'select * from nodes']),
  script('a deferred constraint fails in autocommit, several statements', ['insert into nodes values (1, 2); select 1', 'insert into nodes values (1, 2); insert into nodes values (2, 1)', 'select * from nodes']),
  script('a deferred constraint fails in autocommit, extended', [
    [run('insert into nodes values (1, 2) returning id'), sync()],
    [run('select * from nodes'), sync()],
    [run('insert into nodes values (1, 2)'), run('insert into nodes values (2, null)'), sync()],
    [run('insert into nodes values (5, 6)'), sync(), run('insert into nodes values (6, null)'), sync()],
    'select * from nodes order by id',
  ]),
  script('a deferred constraint fails at a commit in mid-Query', ['begin; insert into nodes values (1, 2); commit; select 1', 'select * from nodes', 'insert into nodes values (1, 2); commit; insert into nodes values (3, null)', 'select * from nodes']),
  script('a deferred constraint fails at an extended commit', [[run('begin'), sync()], [run('insert into nodes values (1, 2)'), sync()], [run('commit'), sync()], 'select * from nodes', [run('begin'), run('insert into nodes values (1, 2)'), run('commit'), sync()], 'select * from nodes']),
  script('a deferred constraint at commit and chain', ['begin', 'insert into nodes values (1, 2)', 'commit and chain', 'select 1', 'rollback', 'select * from nodes']),
  script('set constraints immediate finds it at once', ['begin', 'insert into nodes values (1, 2)', 'set constraints all immediate', 'select 1', 'rollback', 'begin', 'set constraints nodes_next_fkey immediate', 'insert into nodes values (1, 2)', 'rollback', 'begin', 'insert into nodes values (1, 2)', 'insert into nodes values (2, null)', 'commit']),
  script('set constraints deferred puts off an immediate one', [
    'update slots set pos = 2 where id = 1', 'begin', 'set constraints slots_pos_key deferred', 'update slots set pos = 2 where id = 1', 'update slots set pos = 1 where id = 2', 'commit', 'select * from slots order by id',
    'begin', 'set constraints all deferred', 'update slots set pos = 3 where id = 1', 'commit', 'select * from slots order by id', 'update slots set pos = 3 where id = 1',
    'begin', 'set constraints nowhere deferred', 'rollback',
  ]),
  script('constraint states do not outlive their transaction', ['begin', 'set constraints all deferred', 'commit', 'begin', 'update slots set pos = 2 where id = 1', 'rollback', 'begin', 'set constraints all immediate', 'commit', 'begin', 'insert into nodes values (1, 2)', 'insert into nodes values (2, null)', 'commit']),
  script('a rolled-back savepoint takes its violation with it', ['begin', 'savepoint a', 'insert into nodes values (1, 2)', 'rollback to a', 'insert into nodes values (3, null)', 'commit', 'select * from nodes']),
  script('a new deferred constraint is respected', ['create table later (id integer primary key, ref integer references later deferrable initially deferred)', 'insert into later values (1, 2)', 'insert into later values (1, 2), (2, 1)', 'begin', 'insert into later values (7, 8)', 'commit', 'select count(*) from later']),
  script('a copy that violates a deferred constraint', [exchange(query('copy nodes from stdin'), 'G'), [...[copyData('1\t2\n'), copyDone()], sync()], 'select * from nodes']),
]

const copyIn = (text: string): ReturnType<typeof exchange> => exchange(query(text), 'G')

/** COPY in both directions. */
export const copyScripts: readonly Script[] = [
  script('copy in, text', [copyIn('copy parents from stdin'), exchange([copyData('3\tthree\n4\t\\N\n'), copyData('5\t'), copyData('five\n'), copyDone()], 'Z'), parents]),
  script('copy in, csv with header', [copyIn('copy items (name, qty) from stdin with (format csv, header)'), exchange([copyData('name,qty\n"a, b",3\n"c ""d""",4\n'), copyDone()], 'Z'), 'select id, name, qty from items order by id']),
  script('copy out, text and csv and query', ['copy parents to stdout', 'copy (select * from items order by id) to stdout with (format csv, header, force_quote *)', 'copy (select n from generate_series(1, 1000) n) to stdout', 'copy (select 1 where false) to stdout']),
  script('copy out, binary', ['copy (select 1, \'x\'::text, null::integer) to stdout with (format binary)']),
  script('copy in, binary', [
    copyIn('copy parents (id) from stdin with (format binary)'),
    exchange([copyData(Buffer.from('5047434f50590aff0d0a00000000000000000000010000000400000037ffff', 'hex')), copyDone()], 'Z'),
    parents,
  ]),
  script('copy in, failed by the client', [copyIn('copy parents from stdin'), exchange([copyData('3\tthree\n'), copyFail('changed my mind')], 'Z'), parents, 'select 1']),
  script('copy in, bad data', [copyIn('copy parents from stdin'), exchange([copyData('3\tthree\nx\ty\n4\tfour\n'), copyDone()], 'Z'), parents, copyIn('copy parents from stdin'), exchange([copyData('3\n'), copyDone()], 'Z'), parents]),
  script('copy in, a duplicate key', [copyIn('copy parents from stdin'), exchange([copyData('3\ta\n1\tb\n'), copyDone()], 'Z'), 'insert into parents values (3)', parents]),
  script('copy in, then more statements in the same Query', [copyIn(`copy parents from stdin; insert into parents values (8, 'after'); select 1`), exchange([copyData('3\ta\n'), copyDone()], 'Z'), parents]),
  script('copy in, then a failing statement in the same Query', [copyIn(`copy parents from stdin; select 1 / 0`), exchange([copyData('3\ta\n'), copyDone()], 'Z'), parents]),
  script('two copies in one Query', [copyIn('copy parents from stdin; copy children from stdin'), exchange([copyData('3\ta\n'), copyDone()], 'G'), exchange([copyData('33\t3\tx\n'), copyDone()], 'Z'), 'select * from children order by id']),
  script('copy in with everything in one write', [[query('copy parents from stdin'), copyData('3\ta\n'), copyDone(), query('insert into parents values (4)'), query('select count(*) from parents')]]),
  script('copy in inside a transaction', ['begin', copyIn('copy parents from stdin'), exchange([copyData('3\ta\n'), copyDone()], 'Z'), 'savepoint a', copyIn('copy parents from stdin'), exchange([copyData('3\tb\n'), copyDone()], 'Z'), 'rollback to a', parents, 'commit', parents]),
  script('copy in and commit in one Query', [copyIn(`begin; copy parents from stdin; commit; select 'done'`), exchange([copyData('3\ta\n'), copyDone()], 'Z'), parents, copyIn(`begin; copy parents from stdin; rollback`), exchange([copyData('4\ta\n'), copyDone()], 'Z'), parents]),
  script('copy in through the extended protocol', [
    exchange([run('copy parents from stdin'), flush()], 'G'),
    [copyData('3\ta\n'), copyDone(), sync()],
    parents,
    exchange([parse('copy parents from stdin', 'c'), describeStatement('c'), bind({ statement: 'c' }), describePortal(), execute(), flush()], 'G'),
    [copyFail('no'), sync()],
    parents,
  ]),
  script('copy in, extended, with its Sync sent ahead', [
    exchange([run('copy parents from stdin'), sync()], 'G'),
    exchange([copyData('3\ta\n'), copyDone(), sync()], 'Z'),
    parents,
  ]),
  script('copy out through the extended protocol', [[run('copy parents to stdout'), sync()], [run('copy (select 1 / 0) to stdout'), sync()], 'select 1']),
  script('copy errors before any data', ['copy nowhere from stdin', 'copy parents (nothing) from stdin', 'copy nowhere to stdout', `copy parents from '/no/such/file'`, 'copy cheap_items from stdin with (format nonsense)']),
  script('copy messages outside a copy', [exchange([copyData('x'), copyDone(), copyFail('y'), query('select 1')], 'Z'), 'select 2']),
  script('a Query during copy in', [copyIn('copy parents from stdin'), exchange([copyData('3\ta\n'), query('select 1')], 'Z'), 'select 2', parents]),
  script('Flush and Sync during copy in are ignored', [copyIn('copy parents from stdin'), exchange([flush(), copyData('3\ta\n'), sync(), copyData('4\tb\n'), flush(), copyDone()], 'Z'), parents]),
  script('a large copy', [copyIn('copy parents from stdin'), exchange([...Array.from({ length: 200 }, (_, n) => copyData(`${1000 + n}\t${'x'.repeat(2000)}\n`)), copyDone()], 'Z'), 'select count(*), sum(length(name)) from parents']),
]

/** What is left: the fast path, odd messages. */
export const oddScripts: readonly Script[] = [
  script('FunctionCall', [functionCall(2803, []), functionCall(1344, ['16']), functionCall(1397, ['-7']), functionCall(999_999, []), functionCall(1397, ['x']), functionCall(1397, [null]), 'select 1']),
  script('FunctionCall in a transaction and in a failed one', ['begin', functionCall(1397, ['-7']), 'select 1 / 0', functionCall(1397, ['-7']), 'rollback']),
  script('a Describe of something wrong kills nothing', [[describeStatement('x'), sync()], [describePortal('x'), sync()], 'select 1']),
  script('a hundred units one after another in one write', [[...Array.from({ length: 100 }, (_, n) => query(n % 7 === 3 ? 'select 1 / 0' : `insert into parents values (${100 + n})`))], 'select count(*) from parents']),
  script('a hundred transactions in one write', [[...Array.from({ length: 100 }, (_, n) => Buffer.concat([query('begin'), query(`insert into parents values (${100 + n})`), query(n % 3 === 0 ? 'rollback' : 'commit')]))], 'select count(*) from parents']),
  script('text that is not valid in the encoding', [[query('select 1'), Buffer.from([0x51, 0, 0, 0, 16, ...Buffer.from(`select '`), 0xff, 0x27, 0x20, 0])], 'select 1']),
  script('ctid and system columns', ['select count(distinct tableoid) from items', 'select oid::regclass from pg_class where relname = \'items\' order by 1']),
  script('information_schema', [`select table_name from information_schema.tables where table_schema = 'public' order by 1`, `select column_name, data_type from information_schema.columns where table_name = 'items' order by ordinal_position`]),
  script('numbers that drivers ask for', [`select current_schema(), current_setting('server_version_num')`, `select typname, typtype from pg_type where typname in ('mood', 'percentage') order by 1`]),
]
