import { afterAll, beforeAll, expect, test } from 'vitest'
import { openVivarium, type Sandbox, type Vivarium } from '../../src/index.ts'
import { describeIfFound, installedRedis } from '../support/require.ts'
import { connectWire, type RespWire } from '../support/resp-wire.ts'

describeIfFound('redis', installedRedis(), 'scripts in a sandbox', () => {
  let vivarium: Vivarium
  let sandbox: Sandbox
  let wire: RespWire
  let plain: RespWire

  beforeAll(async () => {
    vivarium = await openVivarium({ redis: {} })
    sandbox = await vivarium.openSandbox()
    wire = await connectWire(sandbox.redis.url)
    plain = await connectWire(vivarium.redis.serverUrl)
  })
  afterAll(async () => {
    wire?.end()
    plain?.end()
    await sandbox?.close()
    await vivarium?.close()
  })

  test.each([
    "return _G.redis.call('set', 'escaped', 1)",
    "return rawget(_G, 'redis').call('set', 'escaped', 1)",
    "return _G._G.redis.call('set', 'escaped', 1)",
    `return loadstring("return redis.call('set', 'escaped', 1)")()`,
    `return _G.loadstring("return _G.redis.call('set', 'escaped', ...)")(1)`,
    `local part = "return redis.call('set', 'escaped', 1)" return load(function() local p = part part = nil return p end)()`,
    `local f = loadstring("end end do return function() redis.call('set', 'escaped', 1)") if f then f()() end redis.call('set', 'escaped', 1) return redis.status_reply('OK')`,
  ])('%s reaches no further than redis.call', async (script) => {
    expect(await wire.command('EVAL', script, '0')).toBe('OK')
    expect(await wire.command('DEL', 'escaped')).toBe(1)
    expect(await plain.command('EXISTS', 'escaped')).toBe(0)
  })

  test('what stands behind the hidden redis is not to be had', async () => {
    expect(await wire.command('EVAL', 'return tostring(getmetatable(redis)) .. tostring(getmetatable(_G))', '0')).toBe(
      'falsefalse',
    )
    expect(await wire.command('EVAL', "return loadstring('this is not lua') == nil and 1", '0')).toBe(1)
    // Valkey's own name for it; there, it is what `redis` is.
    expect(await wire.command('EVAL', 'return (server == nil or server == redis) and 1', '0')).toBe(1)
  })

  test.each(['slowlog reset', 'memory purge', 'latency reset', 'save', 'bgsave', 'wait 0 0'])(
    'a script cannot call %s, which has no keys',
    async (line) => {
      const words = line.split(' ').map((word) => `'${word}'`)
      expect(await wire.command('EVAL', `return redis.call(${words.join()})`, '0')).toEqual({
        error: expect.stringMatching(/reaches outside|not allowed from script/),
      })
    },
  )

  test('what touches nobody is as it was', async () => {
    expect(await wire.command('EVAL', "return redis.call('ping')", '0')).toBe('PONG')
    expect(await wire.command('EVAL', "return redis.call('echo', 'x')", '0')).toBe('x')
    expect(await wire.command('EVAL', 'return type(math.floor)', '0')).toBe('function')
  })
})
