import { describePortal, describeStatement, functionCall, query, sync } from '../../support/wire.ts'
import { type Script, script } from '../script.ts'

/** What is left: the fast path, odd messages. */
export const oddScripts: readonly Script[] = [
  script('FunctionCall', [
    functionCall(2803, []),
    functionCall(1344, ['16']),
    functionCall(1397, ['-7']),
    functionCall(999_999, []),
    functionCall(1397, ['x']),
    functionCall(1397, [null]),
    'select 1',
  ]),
  script('FunctionCall in a transaction and in a failed one', [
    'begin',
    functionCall(1397, ['-7']),
    'select 1 / 0',
    functionCall(1397, ['-7']),
    'rollback',
  ]),
  script('a Describe of something wrong kills nothing', [
    [describeStatement('x'), sync()],
    [describePortal('x'), sync()],
    'select 1',
  ]),
  script('a hundred units one after another in one write', [
    Array.from({ length: 100 }, (_, n) =>
      query(n % 7 === 3 ? 'select 1 / 0' : `insert into parents values (${100 + n})`),
    ),
    'select count(*) from parents',
  ]),
  script('a hundred transactions in one write', [
    Array.from({ length: 100 }, (_, n) =>
      Buffer.concat([
        query('begin'),
        query(`insert into parents values (${100 + n})`),
        query(n % 3 === 0 ? 'rollback' : 'commit'),
      ]),
    ),
    'select count(*) from parents',
  ]),
  script('text that is not valid in the encoding', [
    [query('select 1'), Buffer.from([0x51, 0, 0, 0, 16, ...Buffer.from(`select '`), 0xff, 0x27, 0x20, 0])],
    'select 1',
  ]),
  script('ctid and system columns', [
    'select count(distinct tableoid) from items',
    "select oid::regclass from pg_class where relname = 'items' order by 1",
  ]),
  script('information_schema', [
    `select table_name from information_schema.tables where table_schema = 'public' order by 1`,
    `select column_name, data_type from information_schema.columns where table_name = 'items' order by ordinal_position`,
  ]),
  script('numbers that drivers ask for', [
    `select current_schema(), current_setting('server_version_num')`,
    `select typname, typtype from pg_type where typname in ('mood', 'percentage') order by 1`,
  ]),
]
