import { afterEach, expect, test } from 'vitest'
import { addCurrent, findSandbox, openOncePerWorker, removeCurrent, runInContext } from './registry.ts'

const file = { title: 'file' }
const inner = { title: 'inner' }

afterEach(() => {
  removeCurrent(inner)
  removeCurrent(file)
})

test('without any sandbox nothing is found', () => {
  expect(findSandbox()).toBeUndefined()
})

test('the sandbox opened last is current, and the one before it again when it is removed', () => {
  addCurrent(file)
  addCurrent(inner)
  expect(findSandbox()).toBe(inner)
  removeCurrent(inner)
  expect(findSandbox()).toBe(file)
})

test('a flow finds its own sandbox before the current one, also in what it starts and awaits', async () => {
  addCurrent(file)
  const found = await runInContext(inner, async () => {
    await new Promise((resolve) => setImmediate(resolve))
    return findSandbox()
  })
  expect(found).toBe(inner)
  expect(findSandbox()).toBe(file)
})

test('a state written by another version is refused, not misread', () => {
  const realm = globalThis as unknown as Record<symbol, unknown>
  const key = Symbol.for('vivarium')
  const kept = realm[key]
  realm[key] = { shape: 99 }
  try {
    expect(() => findSandbox()).toThrow(expect.objectContaining({ code: 'VERSIONS_MIXED' }))
  } finally {
    realm[key] = kept
  }
})

test('what a worker opens under one name is opened once', () => {
  let opened = 0
  const open = (): number => ++opened
  expect([openOncePerWorker('a', open), openOncePerWorker('a', open), openOncePerWorker('b', open)]).toEqual([1, 1, 2])
})
