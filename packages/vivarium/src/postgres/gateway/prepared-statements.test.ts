import { expect, test } from 'vitest'
import { PreparedStatements, statementKey } from './prepared-statements.ts'

test('a statement is found under the name it was given, until it is forgotten', () => {
  const prepared = new PreparedStatements()
  const { name, evicted } = prepared.add('a')
  expect(evicted).toEqual([])
  expect(prepared.find('a')).toBe(name)
  expect(prepared.find('b')).toBeUndefined()
  prepared.forget('a')
  expect(prepared.find('a')).toBeUndefined()
})

test('over the limit the one that was not used for longest goes, and its name is given out to be closed', () => {
  const prepared = new PreparedStatements(2)
  const a = prepared.add('a').name
  const b = prepared.add('b').name
  prepared.find('a')
  expect(prepared.add('c').evicted).toEqual([b])
  expect(prepared.find('a')).toBe(a)
  expect(prepared.find('b')).toBeUndefined()
})

test('a name is never used a second time: the server may still know the first', () => {
  const prepared = new PreparedStatements(1)
  const names = ['a', 'b', 'a', 'b'].map((key) => prepared.add(key).name)
  expect(prepared.clear()).toEqual(names.slice(-1))
  expect(new Set([...names, prepared.add('a').name]).size).toBe(5)
})

test('forgetting all gives out every name', () => {
  const prepared = new PreparedStatements()
  const names = ['a', 'b'].map((key) => prepared.add(key).name)
  expect(prepared.clear()).toEqual(names)
  expect(prepared.clear()).toEqual([])
})

test.each<[string, Parameters<typeof statementKey>]>([
  ['another text', ['select 2', [23], 'public', 0]],
  ['another parameter type', ['select 1', [25], 'public', 0]],
  ['another number of parameters', ['select 1', [], 'public', 0]],
  ['another search path', ['select 1', [23], 'app', 0]],
  ['another catalogue', ['select 1', [23], 'public', 1]],
])('%s makes another statement', (_what, parts) => {
  const key = statementKey('select 1', [23], 'public', 0)
  expect(statementKey(...parts)).not.toBe(key)
  expect(statementKey('select 1', [23], 'public', 0)).toBe(key)
})
