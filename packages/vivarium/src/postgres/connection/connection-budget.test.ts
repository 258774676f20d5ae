import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runOn, startScratchServer } from '../../../test/support/template-servers.ts'
import type { PostgresServer } from '../server/postgres-server.ts'
import { ConnectionBudget } from './connection-budget.ts'
import type { ConnectionPermit } from './connection-budget.ts'
import type { ConnectionTarget } from './target.ts'

describe('permits', () => {
  test('who waits is served in turn, and nobody overtakes', async () => {
    const budget = new ConnectionBudget(1)
    const order: string[] = []
    const take = async (title: string): Promise<ConnectionPermit> => {
      const permit = await budget.acquire({ title })
      order.push(title)
      return permit
    }
    const first = await take('first')
    const [second, third] = [take('second'), take('third')]
    expect(budget.isShort).toBe(true)
    first.release()
    const fourth = take('fourth')
    for (const next of [second, third, fourth]) {
      expect(budget.used).toBe(1)
      ;(await next).release()
    }
    expect(order).toEqual(['first', 'second', 'third', 'fourth'])
    expect(budget).toMatchObject({ used: 0, isShort: false })
  })

  test('a permit is given back once', async () => {
    const budget = new ConnectionBudget(2)
    const [first, second] = [await budget.acquire({ title: 'a' }), await budget.acquire({ title: 'b' })]
    const third = budget.acquire({ title: 'c' })
    const fourth = budget.acquire({ title: 'd', deadlineMs: 1 })
    first.release()
    first.release()
    await expect(fourth).rejects.toMatchObject({ code: 'CONNECTION_LIMIT' })
    for (const permit of [second, await third]) permit.release()
    expect(budget.used).toBe(0)
  })

  test('past the bound it is waited for, then refused with what the connections are for', async () => {
    const budget = new ConnectionBudget(3)
    for (const title of ['a pool', 'a pool', 'a session']) await budget.acquire({ title })
    await expect(budget.acquire({ title: 'connection 7', deadlineMs: 10 })).rejects.toMatchObject({
      code: 'CONNECTION_LIMIT',
      what: 'Waited 10 ms for a connection to the server, for connection 7: this process may have 3 at once.',
      seen: 'in use: 2 × a pool, a session',
    })
    expect(budget.isShort).toBe(false)
  })

  test('a release goes past one who has given up', async () => {
    const budget = new ConnectionBudget(1)
    const first = await budget.acquire({ title: 'first' })
    const late = budget.acquire({ title: 'late', deadlineMs: 1 }).catch((error: unknown) => error)
    const next = budget.acquire({ title: 'next' })
    expect(await late).toMatchObject({ code: 'CONNECTION_LIMIT' })
    first.release()
    ;(await next).release()
    expect(budget.used).toBe(0)
  })

  test('who may close an idle connection is told each time somebody has to wait, until he does not want to', async () => {
    const budget = new ConnectionBudget(1)
    let idle: ConnectionPermit | undefined = await budget.acquire({ title: 'idle' })
    const stop = budget.onShortage(() => idle?.release())
    const next = await budget.acquire({ title: 'next' })
    idle = undefined
    stop()
    await expect(budget.acquire({ title: 'third', deadlineMs: 1 })).rejects.toMatchObject({ code: 'CONNECTION_LIMIT' })
    next.release()
  })
})

describe('connections', () => {
  let server: PostgresServer
  let target: ConnectionTarget
  const role = `vivarium_test_${randomBytes(4).toString('hex')}`

  beforeAll(async () => {
    server = await startScratchServer()
    await runOn(server, `CREATE ROLE "${role}" LOGIN PASSWORD 'x' CONNECTION LIMIT 1`)
    target = { ...server.maintenance, user: role, password: 'x' }
  })
  afterAll(() => server.close())

  test('a connection counts until it is closed, by whomever', async () => {
    const budget = new ConnectionBudget(1)
    const first = await budget.open(server.maintenance, { title: 'first' })
    first.socket.resume()
    const next = budget.open(server.maintenance, { title: 'next' })
    await runOn(server, `SELECT pg_terminate_backend(${first.processId})`)
    const second = await next
    expect(budget.used).toBe(1)
    second.socket.destroy()
    ;(await budget.acquire({ title: 'last' })).release()
    expect(budget.used).toBe(0)
  })

  test('a login that fails does not count', async () => {
    const budget = new ConnectionBudget(1)
    const nobody = { ...target, user: 'nobody_of_that_name' }
    await expect(budget.open(nobody, { title: 'x' })).rejects.toThrow('28')
    expect(budget.used).toBe(0)
  })

  test('a server that is full is waited for', async () => {
    const budget = new ConnectionBudget(2)
    const first = await budget.open(target, { title: 'first' })
    const next = budget.open(target, { title: 'next' })
    expect(budget.used).toBe(2)
    await expect(budget.open(target, { title: 'third', deadlineMs: 1 })).rejects.toMatchObject({
      code: 'CONNECTION_LIMIT',
    })
    first.socket.destroy()
    ;(await next).socket.destroy()
  })

  test('a server that stays full is named, with its own words', async () => {
    const budget = new ConnectionBudget(2)
    const first = await budget.open(target, { title: 'first' })
    await expect(budget.open(target, { title: 'next', deadlineMs: 60 })).rejects.toMatchObject({
      code: 'CONNECTION_LIMIT',
      what: 'The server accepted no further connection within 60 ms, for next.',
      seen: expect.stringContaining('too many connections for role') as string,
    })
    expect(budget.used).toBe(1)
    first.socket.destroy()
  })
})
