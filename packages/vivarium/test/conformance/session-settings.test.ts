import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isolations } from '../support/isolations.ts'
import { inSandbox, plainServerOf, useVivarium } from '../support/vivarium.ts'
import { connect, errorOf, rowsOf, run, sync, type WireConnection } from '../support/wire.ts'

const vivarium = useVivarium()
const tenant = `select coalesce(current_setting('app.tenant', true), '')`

/** A statement's rows, or the SQLSTATE of its error. */
async function say(connection: WireConnection, text: string): Promise<unknown> {
  const answers = await connection.query(text)
  return errorOf(answers)?.['C'] ?? rowsOf(answers)
}

describe.each(isolations)('settings that no text tells, isolation %s', (isolation) => {
  test('set_config with a computed value follows its connection, and no other one', async () => {
    await inSandbox(
      vivarium,
      async (one, sandbox) => {
        const two = await connect(vivarium.postgres.url)
        await one.query(`select set_config('app.tenant', name, false) from parents where id = 1`)
        two.send(run(`select set_config('app.tenant', upper($1), false)`, ['two']), sync())
        await two.until('Z')
        for (const round of [1, 2]) {
          expect(await say(one, tenant), `round ${round}`).toEqual([['one']])
          expect(await say(two, tenant), `round ${round}`).toEqual([['TWO']])
        }
        await one.query(`begin; select set_config('app.tenant', lower('GONE'), false)`)
        await one.query('rollback')
        expect(await say(one, tenant)).toEqual([['one']])
        expect(sandbox.fidelityWarnings).toEqual([])
        await two.end()
      },
      { isolation },
    )
  })

  test('a routine that sets for the session does so for its connection, and no other one', async () => {
    await inSandbox(
      vivarium,
      async (one) => {
        const two = await connect(vivarium.postgres.url)
        await one.query(`create function set_tenant(t text) returns void language plpgsql as
          $$ begin perform set_config('app.tenant', t, false); end $$`)
        await one.query(`select set_tenant('one')`)
        expect(await say(two, tenant)).toEqual([['']])
        expect(await say(one, tenant)).toEqual([['one']])
        await two.query(`select set_tenant('two')`)
        expect([await say(one, tenant), await say(two, tenant)]).toEqual([[['one']], [['two']]])
        await two.end()
      },
      { isolation },
    )
  })

  test('a routine that sets locally does so until its transaction ends', async () => {
    await inSandbox(
      vivarium,
      async (one) => {
        await one.query(`create function use_tenant(t text) returns void language plpgsql as
          $$ begin perform set_config('app.tenant', t, true); end $$`)
        await one.query(`select use_tenant('unit')`)
        expect(await say(one, tenant)).toEqual([['']])
        await one.query(`begin; select use_tenant('transaction')`)
        expect(await say(one, tenant)).toEqual([['transaction']])
        await one.query('commit')
        expect(await say(one, tenant)).toEqual([['']])
      },
      { isolation },
    )
  })
})

describe.each(isolations)('roles and row-level security, isolation %s', (isolation) => {
  const role = `vivarium_reader_${process.pid}`
  let admin: WireConnection

  // Roles are the server's, not a database's.
  beforeAll(async () => {
    const { maintenance, role: application } = plainServerOf(vivarium)
    admin = await connect(maintenance)
    await admin.query(`create role ${role}`)
    await admin.query(`grant ${role} to ${application.user}`)
  })
  afterAll(async () => {
    await admin.query(`drop role ${role}`)
    await admin.end()
  })

  const grants = `grant usage on schema public to ${role}; grant select on secrets, parents to ${role}`
  const bodies = `select body from secrets order by body`

  test('SET LOCAL ROLE and its policies end with the transaction', async () => {
    await inSandbox(
      vivarium,
      async (connection) => {
        await connection.query(grants)
        await connection.query(`begin; set local role ${role}; set local app.owner = 'alice'`)
        expect(await say(connection, 'select current_user')).toEqual([[role]])
        expect(await say(connection, bodies)).toEqual([['a']])
        expect(await say(connection, 'insert into parents values (3)')).toBe('42501')
        await connection.query('rollback')
        await connection.query(`begin; set local role ${role}; set local app.owner = 'bob'; commit`)
        expect(await say(connection, `select current_user = session_user`)).toEqual([['t']])
        expect(await say(connection, bodies)).toEqual([])
        expect(await say(connection, 'insert into parents values (3) returning id')).toEqual([['3']])
      },
      { isolation },
    )
  })

  test('SET ROLE belongs to its connection, across rollback, reset and others', async () => {
    await inSandbox(
      vivarium,
      async (one) => {
        await one.query(grants)
        const two = await connect(vivarium.postgres.url)
        await one.query(`set role ${role}; set app.owner = 'alice'`)
        expect([await say(one, bodies), await say(two, bodies)]).toEqual([[['a']], []])
        expect(await say(two, 'select current_user = session_user')).toEqual([['t']])
        await one.query('begin; reset role; rollback')
        expect(await say(one, 'select current_user')).toEqual([[role]])
        await one.query('reset role')
        expect(await say(one, 'select current_user = session_user')).toEqual([['t']])
        await two.end()
      },
      { isolation },
    )
  })
})
