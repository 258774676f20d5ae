import { expect, test } from 'vitest'
import { classify } from './classify.ts'
import { findDropped, findNamed, findTemporaryObjects } from './temporary-objects.ts'

test.each<[string, string[]]>([
  ['create temp table t (id integer)', ['t preserve']],
  ['CREATE LOCAL TEMPORARY TABLE IF NOT EXISTS "My T" (a integer, b integer) ON COMMIT DROP', ['My T drop']],
  ['create temp table t on commit delete rows as select 1', ['t delete rows']],
  ['create temp table t with (fillfactor = 70) on commit preserve rows as select 1', ['t preserve']],
  ['create temp table t (a integer references p on delete cascade) on commit drop', ['t drop']],
  ['create table pg_temp.t (id integer)', ['t preserve']],
  ['create temp table pg_temp.t (id integer)', ['t preserve']],
  ['create temp table t as execute p', ['t preserve']],
  ['create or replace temp view v as select 1', ['v preserve']],
  ['create temp recursive view v (n) as select 1', ['v preserve']],
  ['create temporary sequence s', ['s preserve']],
  ['select 1 as a into temp t', ['t preserve']],
  ['with x as (select 1) select * into temporary table t from x', ['t preserve']],
  ['select 1 as a into pg_temp.t', ['t preserve']],
  [`do $$ begin create temp table t (id integer) on commit drop; end $$`, ['t drop']],
  [
    `do $$ begin execute 'create temp table t on commit drop as select 1'; create temp table u (); end $$`,
    ['t drop', 'u preserve'],
  ],
  ['insert into pg_temp.t values (1)', []],
  ['create table t (temp integer)', []],
  [`select 'create temp table t ()'`, []],
  ['select temp from t', []],
  ['create unlogged table t ()', []],
])('what a text makes that is temporary: %s', (text, made) => {
  expect(findTemporaryObjects(text).map(({ name, onCommit }) => `${name} ${onCommit}`)).toEqual(made)
  // The classifier looks for it only where a word says that it may be there.
  expect(classify(text)[0]?.temporary).toEqual(findTemporaryObjects(text))
})

test('a routine’s body makes what its code and its strings make', () => {
  const body = `begin execute format('create temp table t (id %s) on commit drop', kind); end`
  expect(findTemporaryObjects(body, true)).toEqual([{ name: 't', onCommit: 'drop' }])
  expect(findTemporaryObjects(body)).toEqual([])
})

test('a name counts as a whole identifier, not in strings and comments', () => {
  const isT = (name: string): boolean => name === 't'
  expect(findNamed('select * from "t"', isT)).toBe('t')
  expect(findNamed('select * from T', isT)).toBe('t')
  expect(findNamed(`select 't', tt /* t */ from "T"`, isT)).toBeUndefined()
})

test('what a DROP drops', () => {
  expect(findDropped('drop table if exists pg_temp.t, "U" cascade')).toEqual(expect.arrayContaining(['t', 'U']))
  expect(findDropped('drop function t()')).toEqual([])
})
