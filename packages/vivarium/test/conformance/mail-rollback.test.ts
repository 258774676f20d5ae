import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openVivarium, type Vivarium } from '../../src/index.ts'
import { isolations } from '../support/isolations.ts'
import { send } from '../support/mail.ts'

let vivarium: Vivarium

beforeAll(async () => {
  vivarium = await openVivarium({ postgres: {}, mail: {} })
})
afterAll(() => vivarium.close())

test.each(isolations)(
  'in isolation %s a mail sent in a transaction that then rolled back is a fidelity warning',
  async (isolation) => {
    const sandbox = await vivarium.openSandbox({ isolation })
    const client = new Client({ connectionString: vivarium.postgres.url })
    await client.connect()
    for (const end of ['commit', 'rollback', 'rollback to inner_one; commit']) {
      await client.query('begin')
      await client.query('savepoint inner_one')
      await send(vivarium.mail.url, { subject: `before ${end}` })
      await client.query(end)
    }
    await client.query('begin')
    await client.query('select 1 / 0').catch(() => undefined)
    await send(vivarium.mail.url, { subject: 'before a commit that is none' })
    await client.query('commit')
    await client.end()
    expect(
      sandbox.fidelityWarnings.map(({ component, kind, message }) => [component, kind, /'.*?'/.exec(message)?.[0]]),
    ).toEqual([
      ['mail', 'mail-before-rollback', "'before rollback'"],
      ['mail', 'mail-before-rollback', "'before a commit that is none'"],
    ])
    await sandbox.close()
  },
)
