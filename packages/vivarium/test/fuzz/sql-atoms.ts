import fc from 'fast-check'

/*
 * Statements on the schema of ../differential/migrations. `{c}` becomes the connection's own number, for what the
 * connections of one sandbox cannot each have under the same name. Rows are written one at a time or in an order that
 * is said, so that nothing depends on where a row lies in its table.
 */

const key = fc.constantFrom('1', '2', '3', '4')
const savepointName = fc.constantFrom('a', 'b', '"A"')

/** A text with `{k}` replaced by small keys. */
function templates(...texts: readonly string[]): fc.Arbitrary<string> {
  return fc.tuple(fc.constantFrom(...texts), key).map(([text, k]) => text.replaceAll('{k}', k))
}

const reads: fc.Arbitrary<string> = templates(
  'select {k}',
  'select id, name from parents order by id',
  'select count(*) from children',
  'select n from generate_series(1, {k}) n',
  'values (1), (2)',
  'select * from slots order by id',
  'select id, qty from items where id = {k}',
  `select shout('x')`,
  'select 1 where false',
  '',
)

const writes: fc.Arbitrary<string> = templates(
  `insert into parents values ({k}, 'x')`,
  `insert into parents values ({k}, 'x') returning id`,
  `update parents set name = name || '{k}' where id = {k}`,
  'delete from parents where id = {k}',
  'insert into children values (10 + {k}, {k})',
  `insert into items (name) values ('n{k}') returning id`,
  'update items set qty = qty - 3 where id = {k}',
  'insert into nodes values ({k}, {k} + 1)',
  'insert into nodes values ({k} + 1, null)',
  'delete from nodes where id = {k}',
  'update slots set pos = pos + 1 where id = {k}',
  `insert into audited values ({k}, 'v')`,
  `update audited set value = 'w' where id = {k}`,
  `select try_insert('n{k}')`,
  `do $$ begin insert into parents values ({k}); raise notice 'did'; end $$`,
  `do $$ begin insert into parents values ({k}); perform 1 / 0; exception when division_by_zero then null; end $$`,
  `with w as (insert into parents values ({k}, 'w') returning id) select * from w`,
  `merge into parents p using (values ({k})) v (id) on p.id = v.id when matched then update set name = 'm' when not matched then insert values (v.id, 'n')`,
  `select nextval('tickets')`,
  `select setval('tickets', 10{k})`,
  'truncate slots',
  'create table made{k} (id integer primary key)',
  'insert into made{k} values ({k})',
  'drop table if exists made{k}',
)

const errors: fc.Arbitrary<string> = templates(
  'select 1 / 0',
  'selec {k}',
  'select nothing from parents',
  `select fail_with('P000{k}', 'no')`,
  'insert into parents values (1)',
  'insert into nowhere values ({k})',
  `select 'x'::integer`,
)

const transactions: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constant('begin') },
  { weight: 2, arbitrary: fc.constant('commit') },
  { weight: 2, arbitrary: fc.constant('rollback') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'start transaction',
      'begin read only',
      'end',
      'abort',
      'commit and chain',
      'rollback and chain',
      'set constraints all immediate',
      'set constraints all deferred',
      'set constraints nodes_next_fkey immediate',
    ),
  },
)

const savepoints: fc.Arbitrary<string> = fc
  .tuple(
    fc.oneof(
      { weight: 2, arbitrary: fc.constant('savepoint') },
      { weight: 2, arbitrary: fc.constant('rollback to') },
      { weight: 1, arbitrary: fc.constantFrom('release', 'rollback to savepoint', 'release savepoint') },
    ),
    savepointName,
  )
  .map(([command, name]) => `${command} ${name}`)

const settings: fc.Arbitrary<string> = templates(
  `set work_mem = '{k}MB'`,
  `set local work_mem = '{k}MB'`,
  'show work_mem',
  'reset work_mem',
  `set timezone = 'Asia/Tokyo'`,
  'show timezone',
  'reset all',
  `set my.own = '{k}'`,
  `set local my.own = '{k}'`,
  `select set_config('my.own', '{k}', false)`,
  `select set_config('my.own', '{k}', true)`,
  // A setting of this kind that was once set is empty ever after, not null, and all scripts share one session.
  `select nullif(current_setting('my.own', true), '')`,
  'set no_such_setting = 1',
  `set application_name = 'app{k}'`,
  `set search_path = other, public`,
  'set search_path to default',
  'set client_min_messages = error',
)

const sqlPrepared: fc.Arbitrary<string> = templates(
  'prepare p1 as select {k}',
  'prepare p1 (integer) as insert into parents values ($1) returning id',
  'execute p1',
  'execute p1 ({k})',
  'deallocate p1',
  'prepare p2 as select id from items where id > {k} order by id',
  'execute p2',
  'deallocate p2',
  'deallocate s1',
  'deallocate all',
  'discard all',
  'discard plans',
)

const cursors: fc.Arbitrary<string> = templates(
  'declare c{c} cursor for select n from generate_series(1, 5) n',
  'declare c{c} scroll cursor for select id, name from parents order by id',
  'declare h{c} cursor with hold for select id from items order by id',
  'fetch {k} from c{c}',
  'fetch h{c}',
  'fetch backward {k} from c{c}',
  'move c{c}',
  'fetch all from c{c}',
  'close c{c}',
  'close h{c}',
  'close all',
)

const temporary: fc.Arbitrary<string> = templates(
  'create temp table t{c} (id integer primary key)',
  'insert into t{c} values ({k})',
  'select * from t{c} order by id',
  'drop table t{c}',
)

export const parameterized: fc.Arbitrary<string> = templates(
  'select $1::integer + {k}',
  'insert into parents values ($1, $2)',
  'select id, name from items where id = $1',
  'select n from generate_series(1, $1::integer) n',
  'select $1::text, $2::integer',
  `select set_config('my.own', $1, true)`,
  'update items set qty = $1 where id = $2',
)

/** Statements that ask for COPY data. */
export const copyIns: fc.Arbitrary<string> = templates(
  'copy parents from stdin',
  'copy parents (id) from stdin with (format csv)',
  'copy nodes from stdin',
  'copy nowhere from stdin',
)

const copyOuts: fc.Arbitrary<string> = templates(
  'copy (table parents order by id) to stdout',
  'copy (select n from generate_series(1, {k}) n) to stdout with (format csv)',
  'copy (select 1 / (n - {k}) from generate_series(1, 3) n) to stdout',
)

/** Any one statement that asks for no COPY data. */
export const statement: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: reads },
  { weight: 8, arbitrary: writes },
  { weight: 3, arbitrary: errors },
  { weight: 8, arbitrary: transactions },
  { weight: 6, arbitrary: savepoints },
  { weight: 4, arbitrary: settings },
  { weight: 3, arbitrary: sqlPrepared },
  { weight: 3, arbitrary: cursors },
  { weight: 2, arbitrary: temporary },
  { weight: 1, arbitrary: copyOuts },
)

/** The text of a simple Query. */
export const queryText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: statement },
  { weight: 1, arbitrary: fc.array(statement, { minLength: 2, maxLength: 4 }).map((texts) => texts.join('; ')) },
)
