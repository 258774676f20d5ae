import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defineService } from '../../src/http/index.ts'
import { type FaultPoint, openVivarium, type Sandbox, type Vivarium } from '../../src/index.ts'
import { defineMock } from '../../src/mock/index.ts'
import { runInSandbox } from '../../src/vivarium/current-sandbox.ts'
import { connectRaw, plainMail, send } from '../support/mail.ts'
import { closeCodes, closeError } from '../support/vivarium.ts'

let vivarium: Vivarium
beforeAll(async () => {
  vivarium = await openVivarium({ mail: {} })
})
afterAll(() => vivarium.close())

/** Runs a test in a sandbox and fails when its close reports something. */
async function inSandbox(run: (sandbox: Sandbox) => Promise<void>): Promise<void> {
  const sandbox = await vivarium.openSandbox({ title: 'the test' })
  try {
    await runInSandbox(sandbox, () => run(sandbox))
  } finally {
    expect(await closeCodes(sandbox)).toEqual([])
  }
}

async function said(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    (value) => value,
    (error: Error & { cause?: { code?: unknown }; code?: unknown; responseCode?: unknown }) =>
      error.responseCode ?? error.code ?? error.cause?.code ?? error.message,
  )
}

describe('mails', () => {
  test('one that fails is refused by the server, with its reply, and is not in the mailbox; the next one is', async () => {
    await inSandbox(async (sandbox) => {
      sandbox.fault.mail({ to: 'ada@example.com' }).fails()
      sandbox.fault.mail({ subject: /bill/i, nth: 2 }).fails({ code: 554, message: 'Not today' })
      expect(await said(send(vivarium.mail.url, { to: 'grace@example.com' }))).toBeUndefined()
      expect(await said(send(vivarium.mail.url))).toBe(451)
      expect(await said(send(vivarium.mail.url))).toBeUndefined()
      expect(await said(send(vivarium.mail.url, { subject: 'Bill' }))).toBeUndefined()
      expect(await said(send(vivarium.mail.url, { subject: 'Bill' }))).toBe(554)
      expect(sandbox.mails.map(({ subject }) => subject)).toEqual(['Welcome', 'Welcome', 'Bill'])
      const faults = sandbox.interactions.map((one) => (one.component === 'mail' ? one.fault?.kind : one.component))
      expect(faults).toEqual([undefined, 'fails', undefined, undefined, 'fails'])
    })
  })

  test.each([
    ['before', []],
    ['after', ['Welcome']],
  ] as const)(
    'a connection lost %s one leaves %j in the mailbox; a pooled transport takes another connection',
    async (moment, arrived) => {
      await inSandbox(async (sandbox) => {
        const transport = createTransport({
          url: vivarium.mail.url,
          pool: true,
          maxConnections: 1,
          maxRequeues: 0,
        } as object)
        await transport.sendMail({ ...plainMail, subject: 'First' })
        sandbox.fault.mail().losesConnection(moment)
        expect(await said(transport.sendMail(plainMail))).toMatch(/ECONNECTION|ESOCKET|ECONNRESET/)
        expect(sandbox.mails.map(({ subject }) => subject)).toEqual(['First', ...arrived])
        await transport.sendMail({ ...plainMail, subject: 'Last' })
        expect(sandbox.mails.map(({ subject }) => subject)).toEqual(['First', ...arrived, 'Last'])
        transport.close()
      })
    },
  )

  test.each([
    ['before', 0],
    ['after', 1],
  ] as const)(
    'one that is not answered (%s it took effect) waits until its client gives up',
    async (moment, arrived) => {
      await inSandbox(async (sandbox) => {
        sandbox.fault.mail().timesOut(moment)
        const transport = createTransport({ url: vivarium.mail.url, socketTimeout: 200 } as object)
        expect(await said(transport.sendMail(plainMail))).toBe('ETIMEDOUT')
        expect(sandbox.mails).toHaveLength(arrived)
      })
    },
  )

  test('one that still waits at close is ended, and reported as the doing of the fault alone', async () => {
    const sandbox = await vivarium.openSandbox({ title: 'the test' })
    sandbox.fault.mail().timesOut()
    const raw = await connectRaw(vivarium.mail.url)
    await raw.say('EHLO here')
    await raw.say('MAIL FROM:<shop@example.com>')
    await raw.say('RCPT TO:<ada@example.com>')
    await raw.say('DATA')
    const answer = raw.say('Subject: Late', '', 'Hello', '.')
    await expect.poll(() => sandbox.interactions.length).toBe(1)
    expect(await closeCodes(sandbox)).toEqual(['FAULT_NOT_ENDED'])
    expect(await answer).toBe('closed')
  })
})

interface Provider {
  charge(amount: number): Promise<string>
  limit(): number
}
const mock = defineMock<Provider>('Provider')

describe('calls', () => {
  test('one that fails never reaches its answer: it rejects where that is async, else it throws', async () => {
    await inSandbox(async (sandbox) => {
      const asked: number[] = []
      mock.stub.charge(async (amount) => {
        asked.push(amount)
        return 'ch_1'
      })
      mock.stub.limit(() => 7)
      const down = new Error('card network down')
      sandbox.fault.call({ call: 'Provider.charge', where: ({ args }) => args[0] === 2 }).fails(down)
      sandbox.fault.call(/limit$/).fails()
      expect(await mock.double.charge(1)).toBe('ch_1')
      const broken = mock.double.charge(2)
      await expect(broken).rejects.toBe(down)
      expect(() => mock.double.limit()).toThrow(
        'Provider.limit failed (a fault, set at test/conformance/faults-components.test.ts:',
      )
      expect(mock.double.limit()).toBe(7)
      expect(asked).toEqual([1])
      expect(sandbox.calls.map(({ outcome, fault }) => [outcome, fault?.kind])).toEqual([
        ['returned', undefined],
        ['threw', 'fails'],
        ['threw', 'fails'],
        ['returned', undefined],
      ])
    })
  })

  test('one whose connection is lost has been carried out, or has not, as was said', async () => {
    await inSandbox(async (sandbox) => {
      const asked: number[] = []
      mock.stub.charge(async (amount) => {
        asked.push(amount)
        return 'ch_1'
      })
      sandbox.fault.call('Provider.charge').losesConnection('before')
      expect(await said(mock.double.charge(1))).toBe('ECONNRESET')
      sandbox.fault.call('Provider.charge').losesConnection('after')
      expect(await said(mock.double.charge(2))).toBe('ECONNRESET')
      expect(asked).toEqual([2])
      expect(await mock.double.charge(3)).toBe('ch_1')
    })
  })

  test('one that is not answered ends with its sandbox, which reports it', async () => {
    const sandbox = await vivarium.openSandbox({ title: 'the test' })
    const [before, after] = runInSandbox(sandbox, () => {
      mock.stub.charge(async () => 'ch_1')
      sandbox.fault.call('Provider.charge').timesOut()
      const one = mock.double.charge(1)
      sandbox.fault.call('Provider.charge').timesOut('after')
      return [one, mock.double.charge(2)].map(said)
    })
    const error = await closeError(sandbox)
    expect(error?.errors.map((one: { code?: string }) => one.code)).toEqual(['FAULT_NOT_ENDED', 'FAULT_NOT_ENDED'])
    expect(error?.message).toContain('Provider.charge(1)')
    expect(await before).toContain('Provider.charge was not answered before it took effect')
    expect(await after).toContain('Provider.charge was not answered after it took effect')
  })
})

const stripe = defineService('Stripe', 'https://api.stripe.test')

describe('requests', () => {
  const charge = async (options: RequestInit = {}): Promise<number> => {
    const response = await fetch('https://api.stripe.test/v1/charges?x=1', { method: 'POST', ...options })
    await response.text()
    return response.status
  }
  const handled = (sandbox: Sandbox): (boolean | undefined)[] => sandbox.requests.map(({ status }) => status === 200)

  test('one that fails is answered with a status, and not by what the test has said of its service', async () => {
    await inSandbox(async (sandbox) => {
      const came: string[] = []
      stripe.stub('POST /v1/charges').replies(() => {
        came.push('here')
        return { json: {} }
      })
      sandbox.fault.request('POST /v1/charges').fails()
      sandbox.fault.request({ service: 'Stripe', nth: 3 }).fails({ status: 503, headers: { 'retry-after': '1' } })
      expect([await charge(), await charge(), await charge(), await charge()]).toEqual([500, 200, 503, 200])
      expect(came).toHaveLength(2)
      expect(sandbox.requests.map(({ fault }) => fault?.kind)).toEqual(['fails', undefined, 'fails', undefined])
      expect(handled(sandbox)).toEqual([false, true, false, true])
    })
  })

  test('one whose connection is lost has been answered by the service, or has never come to it, as was said', async () => {
    await inSandbox(async (sandbox) => {
      const came: string[] = []
      stripe.stub('POST /v1/charges').replies(() => {
        came.push('here')
        return { json: {} }
      })
      sandbox.fault.request(/stripe/).losesConnection()
      expect(await said(charge())).toMatch(/ECONNRESET|UND_ERR_SOCKET/)
      expect(came).toEqual([])
      sandbox.fault.request('POST https://api.stripe.test/v1/charges?x=1').losesConnection('after')
      expect(await said(charge())).toMatch(/ECONNRESET|UND_ERR_SOCKET/)
      expect(came).toEqual(['here'])
      expect(await charge()).toBe(200)
    })
  })

  test('one that is not answered waits until its client gives up', async () => {
    await inSandbox(async (sandbox) => {
      const came: string[] = []
      stripe.stub('POST /v1/charges').replies(() => {
        came.push('here')
        return { json: {} }
      })
      for (const moment of ['before', 'after'] as const) {
        sandbox.fault.request().timesOut(moment)
        await expect(charge({ signal: AbortSignal.timeout(200) })).rejects.toThrow('timeout')
      }
      expect(came).toEqual(['here'])
      expect(sandbox.requests.map(({ fault }) => fault?.moment)).toEqual(['before', 'after'])
    })
  })

  test('one that still waits at close is ended, and reported as the doing of the fault alone', async () => {
    const sandbox = await vivarium.openSandbox({ title: 'the test' })
    const waits = runInSandbox(sandbox, () => {
      sandbox.fault.request().timesOut()
      return said(charge())
    })
    await expect.poll(() => sandbox.requests.length).toBe(1)
    await expect.poll(() => sandbox.requests[0]?.fault?.kind).toBe('timesOut')
    expect(await closeCodes(sandbox)).toEqual(['FAULT_NOT_ENDED'])
    expect(await waits).toMatch(/ECONNRESET|UND_ERR_SOCKET/)
  })
})

test('a fault of a component that nothing met is told with what did cross to it', async () => {
  const sandbox = await vivarium.openSandbox({ title: 'the test' })
  const set = <F>(point: FaultPoint<F>): unknown => point.fails()
  await runInSandbox(sandbox, async () => {
    mock.stub.charge(async () => 'ch_1')
    set(sandbox.fault.call('Provider.refund'))
    set(sandbox.fault.mail({ to: 'grace@example.com' }))
    set(sandbox.fault.request('GET /'))
    await mock.double.charge(1)
    await send(vivarium.mail.url)
  })
  const error = await closeError(sandbox)
  expect(error?.errors.map((one: { code?: string }) => one.code)).toEqual([
    'FAULT_UNUSED',
    'FAULT_UNUSED',
    'FAULT_UNUSED',
  ])
  expect(error?.message).toContain('1 × Provider.charge(1)')
  expect(error?.message).toContain("1 × a mail to ada@example.com: 'Welcome'")
  expect(error?.message).toContain('nothing crossed to http since')
})
