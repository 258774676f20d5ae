import pg from 'pg'
import { describe, expect, test } from 'vitest'
import {
  currentSandbox,
  everyFault,
  openVivarium,
  perSandbox,
  type EveryFaultOptions,
  type FaultReport,
  type Sandbox,
  type VivariumError,
} from '../../src/index.ts'
import { defineService } from '../../src/http/index.ts'
import { defineMock } from '../../src/mock/index.ts'
import { runInSandbox } from '../../src/vivarium/current-sandbox.ts'
import { isolations } from '../support/isolations.ts'
import { send } from '../support/mail.ts'
import { closeCodes, useVivarium } from '../support/vivarium.ts'

const vivarium = useVivarium()

/** An application: a parent and its child, of which neither is to be there without the other. */
class Family {
  readonly pool: pg.Pool

  constructor(options: pg.PoolConfig = {}) {
    this.pool = new pg.Pool({ connectionString: vivarium.postgres.url, max: 2, ...options })
    this.pool.on('error', () => undefined)
    // Of a client that is checked out the pool does not hear, and an error that nobody hears ends the process.
    this.pool.on('connect', (client) => client.on('error', () => undefined))
  }

  async inOneTransaction(): Promise<void> {
    const client = await this.pool.connect()
    let failure: Error | undefined
    try {
      await client.query('begin')
      await client.query('insert into parents values ($1, $2)', [3, 'three'])
      await client.query('insert into children values ($1, $2)', [30, 3])
      await client.query('commit')
    } catch (error) {
      failure = error as Error
      await client.query('rollback').catch(() => undefined)
      throw error
    } finally {
      client.release(failure)
    }
  }

  async oneAfterTheOther(): Promise<void> {
    await this.pool.query('insert into parents values ($1, $2)', [3, 'three'])
    await this.pool.query('insert into children values ($1, $2)', [30, 3])
  }

  async counts(): Promise<{ parents: number; children: number }> {
    const { rows } = await this.pool.query<{ parents: number; children: number }>(
      'select (select count(*)::int from parents where id = 3) as parents, (select count(*)::int from children where parent_id = 3) as children',
    )
    return rows[0]!
  }
}

async function bothOrNone(family: Family): Promise<void> {
  const { parents, children } = await family.counts()
  expect(`${parents} parents`).toBe(`${children} parents`)
}

describe.each(isolations)('in isolation %s', (isolation) => {
  async function sweep<G, R>(
    options: (family: Family) => EveryFaultOptions<G, R>,
    pool?: pg.PoolConfig,
  ): Promise<{ report: FaultReport | undefined; error: VivariumError | undefined; sandbox: Sandbox }> {
    const sandbox = await vivarium.openSandbox({ isolation, title: 'the test' })
    const family = new Family(pool)
    try {
      const report = await runInSandbox(sandbox, () => everyFault(options(family)))
      return { report, error: undefined, sandbox }
    } catch (error) {
      return { report: undefined, error: error as VivariumError, sandbox }
    } finally {
      await family.pool.end()
      expect(await closeCodes(sandbox)).toEqual([])
    }
  }

  test('each statement fails and loses its connection in turn, from the same state; work in one transaction survives it all', async () => {
    const outcomes: string[] = []
    const { report, error } = await sweep((family) => ({
      given: () => family.counts(),
      when: () => family.inOneTransaction(),
      holds: async ({ given, outcome, fault }) => {
        expect(given).toEqual({ parents: 0, children: 0 })
        await bothOrNone(family)
        const { parents } = await family.counts()
        outcomes.push(`${outcome.ok ? 'ok' : 'failed'} ${parents} ${fault ?? 'nothing broken'}`)
      },
    }))
    expect(error).toBeUndefined()
    expect(report?.interactions).toBe(4)
    expect(report?.runs).toBe(12)
    expect(report?.faults.map(({ became }) => became)).toEqual(Array.from({ length: 12 }, () => 'survived'))
    expect(outcomes).toEqual([
      'ok 1 nothing broken',
      'failed 0 the 1st statement, begin, failed',
      'failed 0 the 1st statement, begin, lost its connection before it took effect',
      'failed 0 the 1st statement, begin, lost its connection after it took effect',
      'failed 0 the 2nd statement, insert into parents values ($1, $2), failed',
      'failed 0 the 2nd statement, insert into parents values ($1, $2), lost its connection before it took effect',
      'failed 0 the 2nd statement, insert into parents values ($1, $2), lost its connection after it took effect',
      'failed 0 the 3rd statement, insert into children values ($1, $2), failed',
      'failed 0 the 3rd statement, insert into children values ($1, $2), lost its connection before it took effect',
      'failed 0 the 3rd statement, insert into children values ($1, $2), lost its connection after it took effect',
      'failed 0 the 4th statement, commit, failed',
      'failed 0 the 4th statement, commit, lost its connection before it took effect',
      // The classic: the application believes that it has failed.
      'failed 1 the 4th statement, commit, lost its connection after it took effect',
    ])
    expect(String(report)).toContain('12 faults in 4 interactions: 12 survived:')
  })

  test('what does not hold is told with the fault that broke it, all of it in one error', async () => {
    const { error } = await sweep((family) => ({
      when: () => family.oneAfterTheOther(),
      holds: () => bothOrNone(family),
    }))
    expect(error?.code).toBe('FAULT_NOT_SURVIVED')
    expect(error?.message).toContain('6 faults in 2 interactions: 3 survived, 3 broke')
    expect(error?.message).toContain(
      'when the 1st statement, insert into parents values ($1, $2), lost its connection after it took effect (the work rejected: Connection terminated unexpectedly):',
    )
    expect(error?.message).toContain(
      'when the 2nd statement, insert into children values ($1, $2), failed (the work rejected:',
    )
    expect(error?.message).toContain("expected '1 parents' to be '0 parents'")
    expect(error?.cause).toMatchObject({ errors: [expect.any(Error), expect.any(Error), expect.any(Error)] })
  })

  test('statements of every kind can be broken, and the sandbox goes on', async () => {
    const texts = [
      'select 1',
      'begin isolation level read committed',
      'insert into parents values (3)',
      'savepoint s',
      'insert into parents values (4)',
      'rollback to s',
      'release s',
      'prepare p as select count(*) from parents',
      'execute p',
      'deallocate p',
      'declare c cursor for select * from parents',
      'fetch 1 from c',
      'close c',
      'set local work_mem to 1000',
      "set statement_timeout to '9s'",
      'create table made (id serial)',
      'insert into made default values',
      'commit',
      'begin',
      'select 1 / 0',
      'rollback to nothing',
      'rollback',
      'begin; insert into parents values (5); commit; insert into parents values (6)',
      'truncate made',
      "select nextval('made_id_seq')",
      'drop table made',
      'begin; insert into parents values (7)',
      'commit and chain',
      'abort',
      'reset all',
      'discard all',
    ]
    const { error, report } = await sweep((family) => ({
      when: async () => {
        const client = new pg.Client({ connectionString: vivarium.postgres.url })
        client.on('error', () => undefined)
        await client.connect()
        // The application goes on where it can.
        for (const text of texts) await client.query(text).catch(() => undefined)
        for (const id of [8, 9]) await client.query('select $1::int', [id]).catch(() => undefined)
        await client.query('rollback').catch(() => undefined)
        await client.end()
      },
      holds: async () => {
        expect(await family.counts()).toMatchObject({ children: 0 })
        await family.inOneTransaction().catch(() => undefined)
      },
      kinds: isolation === 'database' ? ['fails'] : undefined,
    }))
    expect(error).toBeUndefined()
    expect(report?.interactions).toBeGreaterThan(35)
  }, 60_000)

  test('a fault that its run never comes to is not passed over', async () => {
    let run = 0
    const work = (family: Family) => ({
      when: () => family.pool.query(run++ === 0 ? 'select 1' : 'select 2'),
      holds: () => undefined,
      kinds: ['fails'] as const,
    })
    const { error } = await sweep(work)
    expect(error?.message).toContain('1 not reached')
    expect(error?.message).toContain(
      'when the 1st statement, select 1, failed: never came to it, the work took another course (it resolved)',
    )
    run = 0
    const { report } = await sweep((family) => ({ ...work(family), notReached: 'report' }))
    expect(report?.faults.map(({ became }) => became)).toEqual(['not reached'])
  })

  test('work that does not end is a finding and not a test that hangs', async () => {
    const hangs = await sweep((family) => ({
      when: () => family.pool.query('select 1'),
      holds: () => undefined,
      kinds: ['timesOut before'],
      within: 300,
    }))
    expect(hangs.error?.message).toContain(
      'when the 1st statement, select 1, was not answered before it took effect (the work did not end)',
    )
    expect(hangs.error?.message).toContain('did not end within 300 ms')
    const gives = await sweep(
      (family) => ({
        when: () => family.pool.query('select 1').catch(() => 'gave up'),
        holds: ({ outcome, fault }) => expect(outcome.ok && outcome.value === 'gave up').toBe(fault !== undefined),
        kinds: ['timesOut before', 'timesOut after'],
      }),
      { query_timeout: 100 },
    )
    expect(gives.error).toBeUndefined()
    expect(gives.report?.runs).toBe(2)
  })

  test('what a run leaves open is a finding', async () => {
    const { error } = await sweep(() => ({
      when: async () => {
        // Forgotten where something fails: the rollback.
        const client = new pg.Client({ connectionString: vivarium.postgres.url })
        client.on('error', () => undefined)
        await client.connect()
        await client.query('begin')
        await client.query('select 1')
        await client.query('rollback')
        await client.end()
      },
      holds: () => undefined,
      kinds: ['fails'],
    }))
    expect(error?.message).toContain('when the 2nd statement, select 1, failed (the work rejected:')
    expect(error?.message).toContain('TRANSACTION_LEFT_OPEN')
  })

  test('work that does not hold with nothing broken fails as itself', async () => {
    const { error } = await sweep((family) => ({
      when: () => family.pool.query('insert into parents values (3)'),
      holds: () => bothOrNone(family),
    }))
    expect(error?.message).toContain("expected '1 parents' to be '0 parents'")
    expect(error?.code).not.toBe('FAULT_NOT_SURVIVED')
    const nothing = await sweep(() => ({ when: () => undefined, holds: () => undefined }))
    expect(nothing.error?.message).toContain('everyFault() found nothing to break')
  })
})

const provider = defineMock<{ charge(amount: number): Promise<string> }>('Provider')
const stripe = defineService('Stripe', 'https://api.stripe.test')

test('what crosses to every component is broken, each in its own way', async () => {
  await using all = await openVivarium({ mail: {} })
  const sandbox = await all.openSandbox({ title: 'the test' })
  const seen: string[] = []
  const report = await runInSandbox(sandbox, () => {
    // Said in the test, it serves every run.
    provider.stub.charge(async () => 'ch_1')
    stripe.stub('POST /v1/charges').replies({ json: {} })
    return everyFault({
      given: () => 'Welcome',
      when: async (subject) => {
        await provider.double.charge(1)
        await (await fetch('https://api.stripe.test/v1/charges', { method: 'POST' })).text()
        await send(all.mail.url, { subject })
      },
      holds: ({ outcome, fault }) => {
        const { calls, requests, mails } = currentSandbox()
        const came = [calls.length, requests.length, mails.length].join()
        seen.push(`${fault ?? 'nothing broken'}: ${outcome.ok ? 'ok' : 'failed'} ${came}`)
      },
    })
  })
  // A failed call and what comes behind it; a mail that took effect is there.
  expect(seen).toEqual([
    'nothing broken: ok 1,1,1',
    'the 1st call, Provider.charge, failed: failed 1,0,0',
    'the 1st call, Provider.charge, lost its connection before it took effect: failed 1,0,0',
    'the 1st call, Provider.charge, lost its connection after it took effect: failed 1,0,0',
    // A service that answers 500 has answered.
    'the 1st request, POST Stripe, failed: ok 1,1,1',
    'the 1st request, POST Stripe, lost its connection before it took effect: failed 1,1,0',
    'the 1st request, POST Stripe, lost its connection after it took effect: failed 1,1,0',
    'the 1st mail, Welcome, failed: failed 1,1,0',
    'the 1st mail, Welcome, lost its connection before it took effect: failed 1,1,0',
    'the 1st mail, Welcome, lost its connection after it took effect: failed 1,1,1',
  ])
  expect(
    report.faults.map(({ component, kind, moment, became }) => [component, kind, moment, became].join(' ')),
  ).toEqual(
    ['mock', 'http', 'mail'].flatMap((component) =>
      ['fails before', 'losesConnection before', 'losesConnection after'].map((how) => `${component} ${how} survived`),
    ),
  )
  expect(await closeCodes(sandbox)).toEqual([])
})

test('sweeps of two tests at once, each with a client of its own, do not see each other', async () => {
  const pool = perSandbox((sandbox) => new pg.Pool({ connectionString: sandbox.postgres.url }))
  const sandboxes = await Promise.all([1, 2].map(() => vivarium.openSandbox({ concurrent: true })))
  const reports = await Promise.all(
    sandboxes.map((sandbox, index) =>
      runInSandbox(sandbox, () =>
        everyFault({
          when: () => pool.query('insert into parents values ($1)', [3 + index]),
          holds: async ({ outcome, fault }) => {
            const { rows } = await pool.query<{ id: number }>('select id from parents where id > 2')
            const isThere = outcome.ok || fault?.endsWith('after it took effect') === true
            expect(rows.map(({ id }) => id)).toEqual(isThere ? [3 + index] : [])
          },
        }),
      ),
    ),
  )
  expect(reports.map(({ runs }) => runs)).toEqual([3, 3])
  for (const sandbox of sandboxes) expect(await closeCodes(sandbox)).toEqual([])
})
