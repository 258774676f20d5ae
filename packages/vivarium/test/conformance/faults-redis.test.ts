import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openVivarium, type Sandbox, type Vivarium } from '../../src/index.ts'
import { describeIfFound, installedRedis } from '../support/require.ts'
import { connectWire } from '../support/resp-wire.ts'
import { closeCodes, closeError } from '../support/vivarium.ts'

describeIfFound('redis', installedRedis(), 'faults of Redis commands', () => {
  let vivarium: Vivarium
  beforeAll(async () => {
    vivarium = await openVivarium({ redis: {} })
  })
  afterAll(() => vivarium?.close())

  /** ioredis, which connects again by itself and repeats nothing. */
  async function withClient(run: (client: Redis, sandbox: Sandbox) => Promise<void>): Promise<void> {
    const sandbox = await vivarium.openSandbox({ title: 'the test' })
    const client = new Redis(vivarium.redis.url, {
      retryStrategy: () => 1,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
    })
    client.on('error', () => undefined)
    try {
      await client.ping()
      await run(client, sandbox)
    } finally {
      client.disconnect()
      expect(await closeCodes(sandbox)).toEqual([])
    }
  }

  async function said(work: Promise<unknown>): Promise<unknown> {
    return work.then(
      (value) => value,
      (error: Error) => error.message,
    )
  }

  test('a command that fails is answered with an error and changes nothing; the others go their way', async () => {
    await withClient(async (client, sandbox) => {
      sandbox.fault.command('SET').fails()
      sandbox.fault.command({ key: /^user:/, nth: 2 }).fails('OOM command not allowed')
      expect(await said(client.set('a', '1'))).toMatch(
        /^ERR the command failed \(a fault, set at test\/conformance\/faults-redis/,
      )
      expect(await client.get('a')).toBeNull()
      expect(await client.set('user:1', 'x')).toBe('OK')
      expect(await said(client.get('user:1'))).toBe('OOM command not allowed')
      expect(await client.get('user:1')).toBe('x')
      expect(sandbox.commands.map(({ command, fault }) => [command, fault?.kind])).toEqual([
        ['SET', 'fails'],
        ['GET', undefined],
        ['SET', undefined],
        ['GET', 'fails'],
        ['GET', undefined],
      ])
    })
  })

  test('one that fails inside MULTI lets EXEC fail, and an EXEC that fails has done nothing', async () => {
    await withClient(async (client, sandbox) => {
      sandbox.fault.command('INCR').fails()
      expect(await said(client.multi().set('a', '1').incr('b').exec())).toMatch(/^EXECABORT/)
      expect(await client.get('a')).toBeNull()
      sandbox.fault.command('EXEC').fails('BUSY later')
      expect(await said(client.multi().set('a', '1').exec())).toBe('BUSY later')
      expect(await client.get('a')).toBeNull()
      // The connection is out of the transaction.
      expect(await client.set('a', '2')).toBe('OK')
      expect(await client.multi().get('a').exec()).toEqual([[null, '2']])
    })
  })

  test.each([
    ['before', null],
    ['after', '1'],
  ] as const)('a connection lost %s a command leaves %j; the client connects again', async (moment, left) => {
    await withClient(async (client, sandbox) => {
      sandbox.fault.command('SET').losesConnection(moment)
      const [first, second] = await Promise.all([said(client.get('first')), said(client.set('a', '1'))])
      expect(first).toBeNull()
      expect(second).toMatch(/closed?|retries/i)
      await expect.poll(() => said(client.get('a'))).toBe(left)
      const broken = sandbox.commands.filter(({ fault }) => fault !== undefined)
      expect(broken).toMatchObject([{ command: 'SET', fault: { kind: 'losesConnection', moment } }])
    })
  })

  test.each([
    ['before', null],
    ['after', '1'],
  ] as const)('an EXEC whose connection is lost %s it took effect leaves %j', async (moment, left) => {
    await withClient(async (client, sandbox) => {
      sandbox.fault.command('EXEC').losesConnection(moment)
      expect(await said(client.multi().set('a', '1').exec())).toMatch(/closed?|retries/i)
      await expect.poll(() => said(client.get('a'))).toBe(left)
      expect(sandbox.commands.find(({ fault }) => fault !== undefined)?.command).toBe('EXEC')
    })
  })

  test.each([
    ['before', null],
    ['after', '1'],
  ] as const)('a command that is not answered (%s) waits until its client gives up', async (moment, left) => {
    await withClient(async (client, sandbox) => {
      const impatient = new Redis(vivarium.redis.url, { commandTimeout: 100 })
      await impatient.ping()
      sandbox.fault.command('SET').timesOut(moment)
      expect(await said(impatient.set('a', '1'))).toBe('Command timed out')
      expect(await said(impatient.get('a'))).toBe('Command timed out')
      expect(await client.get('a')).toBe(left)
      impatient.disconnect()
      await expect.poll(() => sandbox.commands.find(({ fault }) => fault !== undefined)?.fault?.moment).toBe(moment)
    })
  })

  test('one that still waits at close is ended, and reported as the doing of the fault alone', async () => {
    const sandbox = await vivarium.openSandbox({ title: 'the test' })
    const wire = await connectWire(vivarium.redis.url)
    sandbox.fault.command('SET').timesOut()
    await wire.command('MULTI')
    wire.send('SET', 'a', '1')
    wire.send('GET', 'a')
    const other = await connectWire(vivarium.redis.url)
    expect(await other.command('GET', 'a')).toBeNull()
    other.end()
    // Neither it nor what was sent behind it.
    expect(wire.arrived).toEqual([])
    const error = await closeError(sandbox)
    expect(error?.errors.map((one: { code?: string }) => one.code)).toEqual(['FAULT_NOT_ENDED'])
    expect(error?.message).toContain('SET a 1')
    await wire.closed
  })
})
