import { type Script, script } from '../script.ts'

const parents = 'select id from parents order by id'

/** Transaction control in every spelling, by simple Query. */
export const transactionScripts: readonly Script[] = [
  script('begin, insert, commit', ['begin', 'insert into parents values (3)', 'commit', parents]),
  script('begin, insert, rollback', ['begin', 'insert into parents values (3)', 'rollback', parents]),
  script('comments, casing and white space', [
    '/* c */ BEGIN -- tail',
    '\n\t insert into parents values (3)',
    '/* a /* nested */ */ CoMMit /* c */ ;',
    '-- line\nBEGIN;',
    'insert into parents values (4);',
    '--x\n--y\n/**/ rollback;;',
    parents,
  ]),
  script('every word for begin, commit and rollback', [
    'start transaction', 'insert into parents values (3)', 'end',
    'begin work', 'insert into parents values (4)', 'commit work',
    'begin transaction', 'insert into parents values (5)', 'end transaction',
    'begin', 'insert into parents values (6)', 'abort',
    'begin', 'insert into parents values (7)', 'abort work',
    'begin', 'insert into parents values (8)', 'rollback transaction',
    'begin', 'insert into parents values (9)', 'commit and no chain',
    parents,
  ]),
  script('a whole transaction in one Query', ['begin; insert into parents values (3); commit', parents]),
  script('a rolled-back transaction in one Query', ['begin; insert into parents values (3); rollback; select 1', parents]),
  script('insert, begin, insert, rollback in one Query undoes the first insert too', [
    'insert into parents values (3); begin; insert into parents values (4); rollback',
    parents,
  ]),
  script('insert, begin, insert, commit in one Query', [
    'insert into parents values (3); begin; insert into parents values (4); commit',
    parents,
  ]),
  script('insert, begin in one Query leaves the transaction open', [
    'insert into parents values (3); begin; insert into parents values (4)',
    'insert into parents values (5)',
    'rollback',
    parents,
  ]),
  script('a syntax error in the last statement runs nothing', [
    'begin; insert into parents values (3); commit; selec 1',
    parents,
    'insert into parents values (4); commit; selec 1',
    parents,
  ]),
  script('several transactions in one Query', [
    `begin; insert into parents values (3); commit; begin; insert into parents values (4); rollback;
     begin; insert into parents values (5); end; select count(*) from parents`,
    parents,
  ]),
  script('an error after a commit in the same Query keeps what was committed', [
    'begin; insert into parents values (3); commit; insert into parents values (4); select 1 / 0',
    parents,
  ]),
  script('an error inside a transaction in one Query leaves it failed', [
    'begin; insert into parents values (3); select 1 / 0; commit',
    'select 1',
    'commit',
    parents,
  ]),
  script('an error in one Query before its begin', ['select 1 / 0; begin; insert into parents values (3); commit', parents]),
  script('a stray commit alone', ['commit', 'insert into parents values (3)', 'commit', parents]),
  script('a stray rollback alone', ['rollback', 'insert into parents values (3)', 'rollback', 'abort', parents]),
  script('a stray commit in mid-unit ends the unit there', [
    'insert into parents values (3); commit; insert into parents values (4); select 1 / 0',
    parents,
  ]),
  script('a stray rollback in mid-unit undoes what came before', [
    'insert into parents values (3); rollback; insert into parents values (4)',
    parents,
  ]),
  script('a commit that opens a Query with more behind it', ['commit; insert into parents values (3)', 'rollback; select 1', parents]),
  script('begin inside a transaction warns', ['begin', 'begin', 'insert into parents values (3)', 'start transaction', 'commit', parents]),
  script('begin; begin in one Query', ['begin; begin; insert into parents values (3); commit; commit', parents]),
  script('commit and chain', [
    'begin', 'insert into parents values (3)', 'commit and chain', 'insert into parents values (4)', 'rollback',
    parents,
    'begin; insert into parents values (5); commit and chain; insert into parents values (6); commit',
    parents,
  ]),
  script('rollback and chain', [
    'begin', 'insert into parents values (3)', 'rollback and chain', 'insert into parents values (4)', 'commit',
    parents,
  ]),
  script('rollback and chain after an error', ['begin', 'select 1 / 0', 'rollback and chain', 'insert into parents values (4)', 'commit', parents]),
  script('commit and chain after an error', ['begin', 'select 1 / 0', 'commit and chain', 'insert into parents values (4)', 'commit', parents]),
  script('commit and chain outside a transaction', ['commit and chain', 'rollback and chain', 'abort and chain', 'select 1']),
  script('a read-only transaction refuses to write', [
    'start transaction read only', 'select count(*) from parents', 'insert into parents values (3)', 'rollback',
    'begin read only', 'create table t (id integer)', 'commit',
    'begin transaction read write', 'insert into parents values (3)', 'commit',
    parents,
  ]),
  script('set transaction read only', [
    'begin', 'set transaction read only', 'show transaction_read_only', 'insert into parents values (3)', 'rollback',
    'show transaction_read_only',
    'begin', 'set transaction read only', 'commit', 'insert into parents values (4)', parents,
  ]),
  script('a session that is read-only by default', [
    'set default_transaction_read_only = on', 'show default_transaction_read_only', 'insert into parents values (3)',
    'begin read write; insert into parents values (4); commit',
    'reset default_transaction_read_only', 'show default_transaction_read_only', 'insert into parents values (5)', parents,
  ]),
  script('isolation levels are accepted and shown', [
    'begin isolation level read committed', 'show transaction_isolation', 'commit',
    'begin isolation level repeatable read', 'show transaction_isolation', 'insert into parents values (3)', 'commit',
    'begin transaction isolation level serializable, read write, deferrable', 'show transaction_isolation', 'rollback',
    'show transaction_isolation',
  ]),
  script('set transaction isolation level inside a transaction', [
    'begin', 'set transaction isolation level repeatable read', 'show transaction_isolation', 'commit', 'show transaction_isolation',
    'set session characteristics as transaction isolation level repeatable read',
    'show default_transaction_isolation', 'begin', 'show transaction_isolation', 'commit',
    'reset default_transaction_isolation', 'show default_transaction_isolation',
  ]),
  script('set transaction outside a transaction warns', ['set transaction isolation level serializable', 'set transaction read only', 'insert into parents values (3)', parents]),
  script('set transaction isolation level after a query fails', ['begin', 'select 1', 'set transaction isolation level serializable', 'rollback']),
  script('a transaction left to the end of the connection is undone', ['begin', 'insert into parents values (3)', parents]),
  script('lock table inside and outside a transaction', ['lock table parents', 'begin', 'lock table parents in share mode', 'lock parents', 'commit', 'select 1; lock table parents']),
  script('set constraints outside a transaction warns', ['set constraints all immediate', 'set constraints all deferred', 'select 1']),
  script('row locks', ['select id from parents for update', 'begin', 'select id from parents where id = 1 for no key update', 'commit']),
  script('transaction words inside strings, identifiers and bodies are no commands', [
    `select 'begin; commit; rollback' as "commit;"`,
    `select $$ rollback; $$, E'\\'; commit; --' as "a;b"`,
    `insert into parents values (3, 'x'); select 'commit' as begin_; select 1 as "end"`,
    parents,
    `create function f() returns integer language sql begin atomic select 1; select 2; end; insert into parents values (5)`,
    `do $body$ begin insert into parents values (4); end $body$; select 1 / 0`,
    parents,
    `select f()`,
  ]),
  script('a multi-statement Query with select results and tags', [
    `select 1; insert into parents values (3); update parents set name = 'x'; delete from parents where id = 3; select 2`,
    `begin; select 1; savepoint a; select 2; rollback to a; select 3; release a; commit`,
  ]),
  script('an error position in a Query of several statements', [
    'begin; insert into parents values (3); select nothing from parents; commit',
    'rollback',
    `select 1; begin; select 'é', nothing; commit`,
    'rollback',
    'commit; select nothing',
    'begin; select 1; selec 2',
    'begin', 'select 1; commit; begin; select 1 from nowhere', 'rollback',
  ]),
  script('status in every position', [
    'select 1', 'begin', 'select 1', 'savepoint a', 'select 1 / 0', 'rollback to a', 'select 1', 'commit', 'select 1', '', 'begin', '', 'select 1 / 0', '', 'rollback',
  ]),
]

/** Savepoints. */
export const savepointScripts: readonly Script[] = [
  script('a savepoint released', ['begin', 'insert into parents values (3)', 'savepoint a', 'insert into parents values (4)', 'release savepoint a', 'commit', parents]),
  script('a savepoint rolled back to keeps what came before it', [
    'begin', 'insert into parents values (3)', 'savepoint a', 'insert into parents values (4)', 'rollback to savepoint a',
    parents, 'insert into parents values (5)', 'commit', parents,
  ]),
  script('rolled back to twice', [
    'begin', 'savepoint a', 'insert into parents values (3)', 'rollback to a', 'insert into parents values (4)', 'rollback work to savepoint a',
    'insert into parents values (5)', 'commit', parents,
  ]),
  script('nested savepoints', [
    'begin', 'insert into parents values (3)', 'savepoint a', 'insert into parents values (4)', 'savepoint b', 'insert into parents values (5)',
    'rollback to b', 'insert into parents values (6)', 'release a', 'release b', 'rollback',
    'begin', 'savepoint a', 'savepoint b', 'insert into parents values (7)', 'rollback to a', 'rollback to b', 'commit', parents,
  ]),
  script('the same name twice', [
    'begin', 'savepoint a', 'insert into parents values (3)', 'savepoint a', 'insert into parents values (4)', 'rollback to a', parents,
    'release a', 'rollback to a', parents, 'insert into parents values (5)', 'commit', parents,
  ]),
  script('the same name three times, released one by one', [
    'begin', 'savepoint a', 'savepoint a', 'savepoint a', 'release a', 'release a', 'release a', 'release a', 'rollback',
  ]),
  script('a released savepoint is gone', ['begin', 'savepoint a', 'release a', 'rollback to a', 'commit', parents]),
  script('quoted, cased and unusual names', [
    'begin', 'savepoint "My Point"', 'insert into parents values (3)', 'rollback to "My Point"', 'savepoint ABC', 'insert into parents values (4)',
    'rollback to abc', 'rollback to "ABC"', 'rollback',
    'begin', 'savepoint "a""b"', 'release savepoint "a""b"', 'savepoint "é€"', 'rollback to "é€"', 'savepoint U&"\\0061"', 'release a', 'commit',
  ]),
  script('a very long name is cut as the server cuts it', [
    'begin', `savepoint ${'n'.repeat(80)}`, `rollback to ${'n'.repeat(63)}`, `release ${'n'.repeat(90)}`, 'commit',
  ]),
  script('a savepoint that does not exist', ['begin', 'rollback to nowhere', 'select 1', 'rollback', 'begin', 'release nowhere', 'rollback to savepoint nowhere', 'rollback']),
  script('savepoints outside a transaction', ['savepoint a', 'rollback to a', 'release a', 'select 1', 'select 1; savepoint a', 'insert into parents values (3); rollback to a', parents]),
  script('rollback to a savepoint recovers a failed transaction', [
    'begin', 'insert into parents values (3)', 'savepoint a', 'insert into parents values (3)', 'select 1', 'rollback to a', 'select 1', 'insert into parents values (4)', 'commit', parents,
  ]),
  script('rollback to an outer savepoint after an error in an inner one', [
    'begin', 'savepoint a', 'insert into parents values (3)', 'savepoint b', 'insert into parents values (4)', 'select 1 / 0', 'savepoint c', 'release b', 'rollback to a', parents, 'rollback to b', 'rollback',
  ]),
  script('error, recover, error, recover', [
    'begin', 'savepoint a', 'select 1 / 0', 'rollback to a', 'select nothing', 'rollback to a', 'insert into parents values (3)', 'release a', 'commit', parents,
  ]),
  script('commit with savepoints still open', ['begin', 'savepoint a', 'insert into parents values (3)', 'savepoint b', 'insert into parents values (4)', 'commit', parents, 'rollback to a']),
  script('savepoints in one Query', [
    'begin; insert into parents values (3); savepoint a; insert into parents values (4); rollback to a; release a; insert into parents values (5); commit',
    parents,
    'begin; savepoint a; select 1 / 0; rollback to a; commit',
    'rollback to a', 'commit', parents,
  ]),
  script('savepoint survives across Queries with several statements', ['begin; savepoint a; insert into parents values (3)', 'rollback to a; insert into parents values (4); savepoint b', 'insert into parents values (5); rollback to b; commit', parents]),
  script('savepoint names after chain', ['begin', 'savepoint a', 'commit and chain', 'rollback to a', 'rollback', 'begin', 'savepoint a', 'rollback and chain', 'release a', 'rollback']),
  script('DDL inside a savepoint is undone', ['begin', 'savepoint a', 'create table t (id integer)', 'alter table parents add column extra integer', 'rollback to a', 'select * from parents order by id', 'select * from t', 'rollback']),
  script('a caught exception inside a savepoint', ['begin', 'savepoint a', `select try_insert('apple')`, 'release a', 'commit']),
]
