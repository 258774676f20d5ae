import { expect, test } from 'vitest'
import { OpenResources } from '../core/lifecycle.ts'
import type { FidelityWarning, ObservedMail, Recorder } from '../core/interactions.ts'
import type { Fidelity } from '../core/options.ts'
import type { SandboxPart } from '../core/owner.ts'
import type { PostgresPart } from '../postgres/component/worker.ts'
import type { PostgresSandbox, StableRefusal } from '../postgres/gateway/gateway-types.ts'
import { currentSandbox, runInSandbox } from './current-sandbox.ts'
import { JoinedVivarium } from './vivarium.ts'
import type { Sandbox } from './sandbox.ts'

/** A Postgres part without Postgres: what these tests are about is who may be open, and what closing reports. */
class MemoryPostgres implements PostgresPart {
  readonly ready: Promise<void> = Promise.resolve()
  readonly url = 'memory:stable'
  readonly serverUrl = 'memory:server'
  readonly log: string[] = []
  readonly recorders = new Map<string, Recorder>()
  readonly failures = new Map<string, unknown[]>()
  refuse: Error | undefined
  refusal: StableRefusal | undefined

  async openSandbox(options: Parameters<PostgresPart['openSandbox']>[0]): Promise<PostgresSandbox> {
    const { title, current, within, recorder } = options
    await Promise.resolve()
    if (this.refuse) throw this.refuse
    this.recorders.set(title, recorder)
    this.log.push(`open ${title}${current ? ' current' : ''}${within ? ` within ${within.url}` : ''}`)
    return {
      url: `memory:${title}`,
      close: async () => {
        this.log.push(`close ${title}`)
        return this.failures.get(title) ?? []
      },
    }
  }

  refuseStable(refusal: StableRefusal): () => void {
    this.refusal = refusal
    return () => (this.refusal = undefined)
  }

  async close(): Promise<void> {
    this.log.push('close gateway')
  }
}

function open(fidelity?: Fidelity): { vivarium: JoinedVivarium; postgres: MemoryPostgres; opened: OpenResources } {
  const postgres = new MemoryPostgres()
  const opened = new OpenResources()
  opened.add('the Postgres gateway', () => postgres.close())
  return { vivarium: new JoinedVivarium({ shape: 1, fidelity }, { postgres, opened }), postgres, opened }
}

const code = (name: string): unknown => expect.objectContaining({ code: name })

test('a sandbox has its pinned URL, and the vivarium its stable one', async () => {
  const { vivarium } = open()
  const sandbox = await vivarium.openSandbox({ title: 'one' })
  expect(vivarium.postgres).toEqual({ url: 'memory:stable', serverUrl: 'memory:server' })
  expect(sandbox.postgres).toEqual({ url: 'memory:one' })
  await vivarium.close()
})

test('a second sandbox at once is refused, names the first, and says what to do', async () => {
  const { vivarium } = open()
  await vivarium.openSandbox({ title: 'one' })
  const second = vivarium.openSandbox({ title: 'two' })
  await expect(second).rejects.toThrow(code('SANDBOX_ALREADY_OPEN'))
  await expect(second).rejects.toThrow(/"two" cannot open: "one" is already open[^]*concurrent: true/)
  await vivarium.close()
})

test('two openings started together: one wins, also while neither has finished', async () => {
  const { vivarium } = open()
  const both = await Promise.allSettled([vivarium.openSandbox(), vivarium.openSandbox()])
  expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  await vivarium.close()
})

test('a sandbox can open once the one before it is closed, or failed to open', async () => {
  const { vivarium, postgres } = open()
  const first = await vivarium.openSandbox({ title: 'first' })
  await first.close()
  postgres.refuse = new Error('no lease')
  await expect(vivarium.openSandbox({ title: 'second' })).rejects.toThrow('no lease')
  postgres.refuse = undefined
  await vivarium.openSandbox({ title: 'third' })
  expect(postgres.log).toEqual(['open first current', 'close first', 'open third current'])
  await vivarium.close()
})

test('a concurrent sandbox opens beside another and never becomes current', async () => {
  const { vivarium, postgres } = open()
  const first = await vivarium.openSandbox({ title: 'first' })
  await vivarium.openSandbox({ title: 'beside', concurrent: true })
  await vivarium.openSandbox({ title: 'beside too', concurrent: true })
  expect(postgres.log).toEqual(['open first current', 'open beside', 'open beside too'])
  expect(currentSandbox()).toBe(first)
  await vivarium.close()
})

test('a nested sandbox is current while it is open, its parent before and after', async () => {
  const { vivarium, postgres } = open()
  const file = await vivarium.openSandbox({ title: 'file' })
  const inner = await vivarium.openSandbox({ title: 'inner', within: file })
  expect(currentSandbox()).toBe(inner)
  await inner.close()
  expect(currentSandbox()).toBe(file)
  expect(postgres.log).toEqual(['open file current', 'open inner current within memory:file', 'close inner'])
  await vivarium.close()
})

test('two nested in one parent at once are refused; a nested concurrent one is, too', async () => {
  const { vivarium } = open()
  const file = await vivarium.openSandbox({ title: 'file' })
  await vivarium.openSandbox({ title: 'a', within: file })
  await expect(vivarium.openSandbox({ title: 'b', within: file })).rejects.toThrow(code('SANDBOX_ALREADY_OPEN'))
  await expect(vivarium.openSandbox({ title: 'c', within: file, concurrent: true })).rejects.toThrow(
    code('CONCURRENT_SANDBOX_NESTED'),
  )
  await vivarium.close()
})

test('closing reports every failure: the part that failed, what was recorded, what was nested', async () => {
  const { vivarium, postgres } = open()
  const file = await vivarium.openSandbox({ title: 'file' })
  await vivarium.openSandbox({ title: 'inner', within: file })
  postgres.failures.set('inner', [new Error('statement still running')])
  postgres.failures.set('file', [new Error('transaction left open')])
  postgres.recorders.get('file')?.fail(new Error('lost committed work'))
  const closing = file.close()
  await expect(closing).rejects.toThrow(code('TEST_BROKE_PROMISE'))
  await expect(closing).rejects.toMatchObject({
    errors: ['statement still running', 'transaction left open', 'lost committed work'].map((message) =>
      expect.objectContaining({ message }),
    ),
  })
  expect(postgres.log.slice(-2)).toEqual(['close inner', 'close file'])
  await vivarium.close()
})

test('closing twice is safe: the second call resolves and nothing is reported twice', async () => {
  const { vivarium, postgres } = open()
  const sandbox = await vivarium.openSandbox({ title: 'one' })
  postgres.failures.set('one', [new Error('broken')])
  const [first, second] = await Promise.allSettled([sandbox.close(), sandbox.close()])
  expect([first.status, second.status]).toEqual(['rejected', 'fulfilled'])
  await expect(sandbox[Symbol.asyncDispose]()).resolves.toBeUndefined()
  await vivarium.close()
  await vivarium.close()
  expect(postgres.log).toEqual(['open one current', 'close one', 'close gateway'])
})

test('use after close is refused', async () => {
  const { vivarium } = open()
  const sandbox = await vivarium.openSandbox({ title: 'one' })
  await sandbox.close()
  await expect(sandbox.observe(() => 1)).rejects.toThrow(code('SANDBOX_CLOSED'))
  await expect(vivarium.openSandbox({ within: sandbox })).rejects.toThrow(code('SANDBOX_CLOSED'))
  await vivarium.close()
  await expect(vivarium.openSandbox()).rejects.toThrow(code('VIVARIUM_CLOSED'))
})

test('closing the vivarium closes open sandboxes, innermost first, then everything else, and reports all', async () => {
  const { vivarium, postgres, opened } = open()
  opened.add('one more', () => Promise.reject(new Error('one more broke')))
  const file = await vivarium.openSandbox({ title: 'file' })
  await vivarium.openSandbox({ title: 'inner', within: file })
  postgres.failures.set('inner', [new Error('inner broke')])
  const closing = vivarium.close()
  await expect(closing).rejects.toMatchObject({
    errors: [
      expect.objectContaining({ message: 'inner broke' }),
      expect.objectContaining({ message: 'one more broke' }),
    ],
  })
  expect(postgres.log.slice(2)).toEqual(['close inner', 'close file', 'close gateway'])
})

test('a sandbox that is still opening when the vivarium closes is closed as well', async () => {
  const { vivarium, postgres } = open()
  const opening = vivarium.openSandbox({ title: 'late' })
  await vivarium.close()
  await opening
  expect(postgres.log).toEqual(['open late current', 'close late', 'close gateway'])
})

test('observe returns the result and only what was recorded meanwhile, nested observations included', async () => {
  const { vivarium, postgres } = open()
  const sandbox = await vivarium.openSandbox({ title: 'one' })
  const query = (text: string): void => postgres.recorders.get('one')?.record({ ...anyQuery, text })
  query('before')
  const outer = await sandbox.observe(async () => {
    query('outer')
    const inner = await sandbox.observe(() => query('inner'))
    return inner.queries.map(({ text }) => text)
  })
  query('after')
  expect(outer.result).toEqual(['inner'])
  expect(outer.queries.map(({ text }) => text)).toEqual(['outer', 'inner'])
  expect(sandbox.interactions).toHaveLength(4)
  await expect(sandbox.observe(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine')
  await vivarium.close()
})

test("a component's part is made once, settles before anything is closed and is verified last", async () => {
  const { vivarium, postgres } = open()
  const sandbox = await vivarium.openSandbox({ title: 'one' })
  const make = (): SandboxPart => {
    postgres.log.push('make')
    return {
      settle: async () => void postgres.log.push('settle'),
      verify: () => {
        postgres.log.push('verify')
        return [new Error('nobody called')]
      },
    }
  }
  expect(sandbox.part('mock', make)).toBe(sandbox.part('mock', make))
  expect(sandbox.knownPart('mail')).toBeUndefined()
  await expect(sandbox.close()).rejects.toMatchObject({ errors: [{ message: 'nobody called' }] })
  expect(postgres.log).toEqual(['open one current', 'make', 'settle', 'close one', 'verify'])
  expect(() => sandbox.part('mail', make)).toThrow(code('SANDBOX_CLOSED'))
  await vivarium.close()
})

test('what was recorded stands before what verification finds, and a part that breaks keeps nothing open', async () => {
  const { vivarium, postgres } = open()
  const sandbox = await vivarium.openSandbox({ title: 'one' })
  sandbox.part('mail', () => ({ settle: () => Promise.reject(new Error('cannot settle')) }))
  sandbox.part('mock', () => ({ verify: () => [new Error('never called')] }))
  sandbox.part('http', () => ({
    verify: () => {
      throw new Error('cannot verify')
    },
  }))
  sandbox.fail(new Error('called by surprise'))
  await expect(sandbox.close()).rejects.toMatchObject({
    errors: [
      { message: 'cannot settle' },
      { message: 'called by surprise' },
      { message: 'never called' },
      { message: 'cannot verify' },
    ],
  })
  expect(postgres.log.at(-1)).toBe('close one')
  await (await vivarium.openSandbox({ title: 'two' })).close()
  await vivarium.close()
})

test('what is first owned while its sandbox closes is closed as well', async () => {
  const { vivarium, postgres } = open()
  const sandbox = await vivarium.openSandbox({ title: 'one' })
  sandbox.part('mock', () => ({
    verify: () => {
      sandbox.own('a late client', () => void postgres.log.push('end client'))
      return []
    },
  }))
  await sandbox.close()
  expect(postgres.log.slice(-2)).toEqual(['close one', 'end client'])
  await vivarium.close()
})

test('a failure that comes when its sandbox is closed fails the sandbox around it, of a concurrent test as well', async () => {
  const { vivarium } = open()
  const file = await vivarium.openSandbox({ title: 'file' })
  const beside = await vivarium.openSandbox({ title: 'beside', concurrent: true, around: file })
  await beside.close()
  beside.fail(new Error('too late'))
  await expect(file.close()).rejects.toMatchObject({ errors: [{ message: 'too late' }] })
  await vivarium.close()
})

test('a failure that comes when no sandbox is open that could fail by it fails the vivarium', async () => {
  const { vivarium } = open()
  const sandbox = await vivarium.openSandbox({ title: 'alone' })
  await sandbox.close()
  sandbox.fail(new Error('too late'))
  await expect(vivarium.close()).rejects.toMatchObject({ errors: [{ message: 'too late' }] })
})

test('the interactions of a sandbox are there by component as well', async () => {
  const { vivarium, postgres } = open()
  const sandbox = await vivarium.openSandbox({ title: 'one' })
  const mail = { component: 'mail', subject: 'Welcome', at: 1 } as ObservedMail
  postgres.recorders.get('one')?.record(anyQuery)
  postgres.recorders.get('one')?.record(mail)
  expect([sandbox.queries, sandbox.mails, sandbox.calls, sandbox.requests]).toEqual([[anyQuery], [mail], [], []])
  expect(sandbox.interactions).toEqual([anyQuery, mail])
  await vivarium.close()
})

const aWarning: FidelityWarning = {
  component: 'postgres',
  kind: 'row-lock',
  message: 'nobody waits',
  text: ' select 1 for update nowait',
}

test('a fidelity warning is told by the sandbox, and fails nothing by default', async () => {
  const { vivarium, postgres } = open()
  const sandbox = await vivarium.openSandbox({ title: 'warned' })
  postgres.recorders.get('warned')?.warn(aWarning)
  expect(sandbox.fidelityWarnings).toEqual([aWarning])
  await sandbox.close()
  await vivarium.close()
})

test("with fidelity 'fail' closing reports each fidelity warning, with its statement and the remedy", async () => {
  const { vivarium, postgres } = open('fail')
  const sandbox = await vivarium.openSandbox({ title: 'warned' })
  postgres.recorders.get('warned')?.warn(aWarning)
  postgres.recorders.get('warned')?.warn({ ...aWarning, kind: 'listen-delivery' })
  const closing = await sandbox.close().catch((error: unknown) => error)
  expect(closing).toMatchObject({
    errors: [
      {
        code: 'FIDELITY_WARNING',
        what: expect.stringMatching(/"warned".*postgres\/row-lock\): nobody waits/),
        seen: 'select 1 for update nowait',
        remedy: expect.stringContaining("isolation 'database'"),
      },
      { code: 'FIDELITY_WARNING', what: expect.stringContaining('postgres/listen-delivery') },
    ],
  })
  await vivarium.close()
})

test('what observe runs finds its sandbox as the current one', async () => {
  const { vivarium } = open()
  await vivarium.openSandbox({ title: 'one' })
  const beside = await vivarium.openSandbox({ title: 'beside', concurrent: true })
  const seen = await beside.observe(async (): Promise<Sandbox> => {
    await Promise.resolve()
    return currentSandbox()
  })
  expect(seen.result).toBe(beside)
  expect(runInSandbox(beside, () => currentSandbox())).toBe(beside)
  await vivarium.close()
})

test('without any sandbox, asking for the current one says how to get one', () => {
  expect(() => currentSandbox()).toThrow(code('NO_SANDBOX'))
})

test('the isolation asked for counts, then that of the sandbox around, then the configured one', async () => {
  const { vivarium } = open()
  const outer = await vivarium.openSandbox({ isolation: 'database' })
  const inner = await vivarium.openSandbox({ within: outer })
  const beside = await vivarium.openSandbox({ concurrent: true })
  expect([outer, inner, beside].map(({ isolation }) => isolation)).toEqual(['database', 'database', 'transaction'])
  await vivarium.close()
})

test('concurrent sandboxes nest in one with a database of its own, and are closed with it', async () => {
  const { vivarium, postgres } = open()
  const file = await vivarium.openSandbox({ title: 'file', isolation: 'database' })
  for (const title of ['one', 'two']) await vivarium.openSandbox({ title, within: file, concurrent: true })
  await vivarium.openSandbox({ title: 'three', within: file })
  await file.close()
  expect(postgres.log).toEqual([
    'open file current',
    'open one within memory:file',
    'open two within memory:file',
    'open three current within memory:file',
    'close three',
    'close one',
    'close two',
    'close file',
  ])
  await vivarium.close()
})

test('the stable URL is refused as long as anyone asks for it, and each refusal is told', () => {
  const { vivarium, postgres } = open()
  const seen: string[] = []
  const first = vivarium.refuseStableUrl(() => seen.push('first'))
  const second = vivarium.refuseStableUrl(() => seen.push('second'))
  expect(postgres.refusal?.message).toMatchObject({ message: expect.stringContaining('STABLE_URL_AMBIGUOUS') })
  postgres.refusal?.onRefused()
  first()
  postgres.refusal?.onRefused()
  second()
  expect(postgres.refusal).toBeUndefined()
  expect(seen).toEqual(['first', 'second', 'second'])
})

test('without Postgres in the options, asking for it says so', async () => {
  const vivarium = new JoinedVivarium({ shape: 1 }, { postgres: undefined, opened: new OpenResources() })
  const sandbox = await vivarium.openSandbox()
  expect(() => vivarium.postgres).toThrow('This vivarium has no Postgres')
  expect(() => sandbox.postgres).toThrow(code('CONFIG_INVALID'))
  await vivarium.close()
})

const anyQuery = {
  component: 'postgres',
  text: '',
  params: [],
  command: 'SELECT',
  rowCount: 1,
  durationMs: 0,
  error: undefined,
  connection: 1,
  transaction: undefined,
  at: 0,
} as const
