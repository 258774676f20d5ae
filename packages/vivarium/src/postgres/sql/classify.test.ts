import { describe, expect, test } from 'vitest'
import { classify } from './classify.ts'
import type { Statement } from './classify.ts'

function only(text: string): Statement {
  const [statement, ...rest] = classify(text)
  expect(rest).toEqual([])
  return statement as Statement
}

describe('classification', () => {
  test('an empty query has no statements', () => {
    expect(['', ' ', ';', ' -- a\n;/* ; */'].flatMap(classify)).toEqual([])
  })

  test('a statement knows its place in the whole text', () => {
    const text = '  begin ; -- x\n prepare "P" as select 😀 ; execute p'
    const found = classify(text)
    expect(found.map(({ span }) => text.slice(span.start, span.end))).toEqual(found.map((statement) => statement.text))
    const [, prepared, executed] = found
    if (prepared?.kind !== 'prepare' || executed?.kind !== 'execute') throw new Error('kinds')
    expect(text.slice(prepared.nameSpan.start, prepared.nameSpan.end)).toBe('"P"')
    expect(text.slice(executed.nameSpan.start, executed.nameSpan.end)).toBe('p')
  })

  test.each([
    ['set search_path = a,\n  "B"', 'SET search_path = a,\n  "B"', undefined],
    ['SET LOCAL search_path TO a -- note', 'SET search_path TO a', 'a'],
    ["set session time zone 'UTC';", "SET time zone 'UTC'", 'UTC'],
    ['set local role "Admin"', 'SET role "Admin"', 'Admin'],
    ['set session authorization bob', 'SET session authorization bob', 'bob'],
    ['set session session authorization bob', 'SET session authorization bob', 'bob'],
    ["set local names 'utf8'", "SET names 'utf8'", 'utf8'],
    ["set local schema 'x'", "SET schema 'x'", 'x'],
    ['set local x = -1.50', 'SET x = -1.50', '-1.50'],
    ['set x = +1', 'SET x = +1', '1'],
    ['set x to ON', 'SET x to ON', 'on'],
    ["set local a.b = 'it''s'", "SET a.b = 'it''s'", "it's"],
  ])('%s is replayed for the session', (text, replay, value) => {
    const statement = only(text)
    expect(statement).toMatchObject({ kind: 'set', replay })
    expect('value' in statement ? statement.value : undefined).toBe(value)
    expect(only(replay)).toMatchObject({ ...statement, replay, local: false, span: {}, text: replay })
  })

  test.each([
    ['set x to default', true],
    ['set role none', true],
    ["set role 'none'", true],
    ['set role to default', true],
    ['set session authorization default', true],
    ['set time zone local', true],
    ['set names', true],
    ['set role bob', false],
    ["set x = 'default'", false],
  ])('%s sets the default: %s', (text, isDefault) => {
    expect(only(text)).toMatchObject({ kind: 'set', isDefault })
  })

  test.each([
    ['vacuum (analyze) t', 'VACUUM'],
    ['create database d', 'CREATE DATABASE'],
    ['drop database if exists d', 'DROP DATABASE'],
    ["create tablespace t location '/x'", 'CREATE TABLESPACE'],
    ['drop tablespace t', 'DROP TABLESPACE'],
    ['create index concurrently i on t (a)', 'CREATE INDEX CONCURRENTLY'],
    ['create unique index concurrently if not exists i on t (a)', 'CREATE INDEX CONCURRENTLY'],
    ['drop index concurrently if exists i', 'DROP INDEX CONCURRENTLY'],
    ['reindex table concurrently t', 'REINDEX CONCURRENTLY'],
    ['reindex (verbose, concurrently on) index i', 'REINDEX CONCURRENTLY'],
    ['reindex database', 'REINDEX DATABASE'],
    ['reindex (verbose) system d', 'REINDEX SYSTEM'],
    ['reindex schema concurrently s', 'REINDEX SCHEMA'],
    ["alter system set x = '1'", 'ALTER SYSTEM'],
    ['alter database d set tablespace t', 'ALTER DATABASE SET TABLESPACE'],
    ['alter table t detach partition p concurrently', 'ALTER TABLE ... DETACH CONCURRENTLY'],
    ["create subscription s connection 'x' publication p", 'CREATE SUBSCRIPTION ... WITH (create_slot = true)'],
    ['drop subscription s', 'DROP SUBSCRIPTION'],
    ['alter subscription s refresh publication', 'ALTER SUBSCRIPTION ... REFRESH'],
    ['alter subscription s set publication p', 'ALTER SUBSCRIPTION with refresh'],
    ['cluster', 'CLUSTER'],
    ['cluster (verbose)', 'CLUSTER'],
    ['CLUSTER VERBOSE', 'CLUSTER'],
  ])('%s refuses a transaction', (text, command) => {
    expect(only(text)).toMatchObject({ kind: 'refusesTransaction', command })
  })

  test.each([
    'analyze',
    'create index i on t (concurrently)',
    'reindex table t',
    'reindex (concurrently false) table t',
    'alter database d set x = 1',
    'alter database d rename to tablespace',
    'alter table t detach partition p',
    'alter table t detach partition p finalize',
    "create subscription s connection 'x' publication p with (create_slot = false)",
    "create subscription s connection 'x' publication p with (connect = off, slot_name = none)",
    'alter subscription s set publication p with (refresh = false)',
    'alter subscription s disable',
    'cluster t',
    'cluster t using i',
    'refresh materialized view concurrently v',
    'checkpoint',
  ])('%s does not refuse a transaction', (text) => {
    expect(only(text).kind).toBe('other')
  })

  test.each<[string, (keyof Statement)[]]>([
    ['select a from t', []],
    ["select 'set_config(now())'", []],
    ["select set_config('a', 'b', true)", ['mayCallSetConfig']],
    ['select "set_config"($1, $2, $3)', ['mayCallSetConfig']],
    ['insert into t select Set_Config(a, b, false)', ['mayCallSetConfig']],
    ['prepare p as select set_config($1, $2, true)', ['mayCallSetConfig']],
    ['select pg_terminate_backend(1)', ['terminatesBackend']],
    ["select pg_catalog.pg_notify('a', 'b')", ['notifies']],
    ['notify a', ['notifies']],
    ['select notify from t', []],
    ['select pg_try_advisory_xact_lock_shared(1)', ['locksAdvisory']],
    ['select pg_advisory_lock(1)', ['locksAdvisory']],
    ['select * from t for update skip locked', ['skipLocked']],
    ['select * from t for update nowait', ['skipLocked']],
    ['lock t nowait', ['skipLocked']],
    ['select skip, locked from t', []],
    ['select now()', ['readsNow']],
    ['select pg_catalog.NOW ()', ['readsNow']],
    ['select now from t', []],
    ['insert into t values (current_timestamp)', ['readsNow']],
    ['select localtime(0)', ['readsNow']],
    ['select transaction_timestamp()', ['readsNow']],
    ['select current_date', ['readsNow']],
    ['select statement_timestamp(), clock_timestamp()', []],
    ['create table t (a timestamptz default now())', ['ddl', 'readsNow']],
    ['ALTER TABLE t ADD a int', ['ddl']],
    ['grant select on t to x', ['ddl']],
    ['truncate t', []],
    ['select 1 into t', ['ddl']],
    ['with x as (insert into t values (1) returning a) select a from x', []],
    ['with x as (merge into t using u on a = b when matched then delete returning a) select a from x', []],
    ['with x as (select 1) select a into y from x', ['ddl']],
    ['insert into t values (1)', []],
    ['explain analyze create table x as select 1', ['ddl']],
    ['create table x as execute p', ['ddl']],
    ['call p()', ['ddl']],
    ["do $$ begin perform set_config('a', now()::text, true); end $$", ['ddl', 'mayCallSetConfig', 'readsNow']],
    ['do $$ begin set local x = 1; notify a; end $$', ['ddl', 'mayCallSetConfig', 'notifies']],
    ["do $a$ begin execute 'select pg_terminate_backend(1)'; end $a$", ['ddl', 'terminatesBackend']],
    ["do 'begin null; end'", ['ddl']],
  ])('%s is flagged', (text, flags) => {
    const found = Object.entries(only(text)).filter(([, value]) => value === true)
    expect(found.map(([key]) => key).toSorted()).toEqual([...flags].toSorted())
  })

  test('flags belong to their own statement', () => {
    expect(classify('select now(); select 1; select now').map((statement) => statement.readsNow)).toEqual([
      true,
      false,
      false,
    ])
  })

  test('an unterminated text is never a command', () => {
    expect(classify("commit 'a").map((statement) => statement.kind)).toEqual(['other'])
    expect(classify('set x = 1 /*').map((statement) => statement.kind)).toEqual(['other'])
  })

  test.each([
    ['rows', (n: number) => `insert into t values ${"(1, 'it''s', E'\\\\n', $$x$$),".repeat(n)} (1)`],
    ['one string', (n: number) => `insert into t values ('${'a'.repeat(20 * n)}')`],
    ['doubled quotes', (n: number) => `select '${"''".repeat(10 * n)}'`],
    ['statements', (n: number) => 'select 1, 2, 3, 4, 5;'.repeat(n)],
    ['open comments', (n: number) => `select 1 ${'/* '.repeat(7 * n)}`],
    ['unicode strings', (n: number) => `select ${"U&'a',".repeat(3 * n)} 1`],
    ['dollars', (n: number) => `select ${'$ab '.repeat(5 * n)}`],
    ['minus signs', (n: number) => `select ${'- '.repeat(10 * n)} 1`],
    ['operators', (n: number) => `select ${'<+'.repeat(10 * n)} 1`],
    ['long lists', (n: number) => `set x = ${'a, '.repeat(7 * n)} b`],
    ['parentheses', (n: number) => `prepare p ${'('.repeat(20 * n)}`],
  ])('takes time in proportion to the length: %s', (_name, make) => {
    const short = make(2000)
    const long = make(16_000)
    // Processor time, not the clock's: other processes do not count. The shortest of a few, since a garbage collection does.
    const time = (text: string): number =>
      Math.min(
        ...[1, 2, 3, 4, 5].map(() => {
          const before = process.cpuUsage()
          classify(text)
          const { user, system } = process.cpuUsage(before)
          return user + system
        }),
      )
    // 8 times the length; quadratic behaviour takes about 64 times as long.
    expect(time(long) / Math.max(time(short), 50)).toBeLessThan(32)
  })
})
