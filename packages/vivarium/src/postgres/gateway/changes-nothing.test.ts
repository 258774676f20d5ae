import { expect, test } from 'vitest'
import { changesNothing } from './changes-nothing.ts'

test.each([
  ['SELECT', 'select * from users'],
  ['SELECT', '  SELECT 1'],
  ['BEGIN', 'begin'],
  ['COMMIT', 'commit'],
  ['SELECT', 'select count(*), max(id) from users where id in (1, 2) and (name = $1 or coalesce(name, $2) is null)'],
  ['SET', "set time zone 'UTC'"],
  [undefined, 'insert into users values (1, 2, 3, 4)'],
])('%s (%s) leaves the database as it was', (command, text) => {
  expect(changesNothing({ command, text })).toBe(true)
})

test('a long text is judged in linear time', () => {
  const text = `select length('${'x'.repeat(128 * 1024)}')`
  const started = performance.now()
  expect(changesNothing({ command: 'SELECT', text })).toBe(true)
  // Linear it takes a millisecond, quadratic more than ten seconds.
  expect(performance.now() - started).toBeLessThan(5000)
})

test.each([
  ['INSERT', 'insert into users (name) values ($1)'],
  ['CREATE TABLE', 'create table t (id int)'],
  ['SELECT', 'select create_order($1)'],
  ['SELECT', `select count(*), nextval('ids') from users`],
  ['SELECT', 'select "count" (1)'],
  ['SELECT', 'select create_order/* count */($1)'],
  ['SELECT', 'select create_order -- count\n ($1)'],
  ['SELECT', 'select größe(1)'],
  ['SELECT', 'select * into copy from users'],
  ['SELECT', 'with new as (insert into users values ($1) returning *) select * from new'],
  ['SELECT', 'create table copy as select * from users'],
  ['CALL', 'call fill()'],
  ['COPY', 'copy users from stdin'],
])('%s (%s) may have changed it', (command, text) => {
  expect(changesNothing({ command, text })).toBe(false)
})
