import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { isolations } from '../../support/isolations.ts'
import { describeIfFound } from '../../support/require.ts'
import { closeCodes, useVivarium } from '../../support/vivarium.ts'
import { Psql, psqlVersion, runPsql } from './psql.ts'

describeIfFound('psql', await psqlVersion(), 'psql as another process', () => {
  describe.each(isolations)("isolation '%s'", (isolation) => {
    const vivarium = useVivarium({ isolation })

    test('psql: one that is left in a transaction is reported at close and loses its connection', async () => {
      const sandbox = await vivarium.openSandbox()
      const psql = Psql.open(sandbox.postgres.url)
      psql.write(`begin;\ninsert into parents values (3);\n\\echo it holds\n`)
      await psql.until('it holds')
      expect(await closeCodes(sandbox)).toEqual(['TRANSACTION_LEFT_OPEN'])
      psql.write('select 1;\n')
      expect(await psql.end()).toMatchObject({
        code: 2,
        errors: expect.stringContaining('terminating connection: its sandbox has been closed') as string,
      })
    })

    test('psql: the URL of a closed sandbox is refused, with the reason', async () => {
      const sandbox = await vivarium.openSandbox()
      const { url } = sandbox.postgres
      expect(await runPsql(url, 'select count(*) from parents;\n')).toMatchObject({ code: 0, output: '2' })
      await sandbox.close()
      const { output, errors } = await runPsql(url, 'select count(*) from parents;\n')
      expect(output).toBe('')
      expect(errors).toContain('the sandbox of this URL is closed')
    })

    test('psql: one that is killed in mid-statement is reported, and the next sandbox knows nothing of it', async () => {
      const sandbox = await vivarium.openSandbox()
      const psql = Psql.open(sandbox.postgres.url)
      psql.write(`do $$ begin raise notice 'it runs'; perform pg_sleep(60); end $$;\n`)
      await psql.until('NOTICE')
      psql.kill()
      await expect(psql.end()).rejects.toThrow('psql was ended by SIGKILL')
      expect(await closeCodes(sandbox)).toEqual(['STATEMENT_STILL_RUNNING'])
      const next = await vivarium.openSandbox()
      expect(await runPsql(next.postgres.url, 'select count(*) from parents;\n')).toMatchObject({ output: '2' })
      expect(await closeCodes(next)).toEqual([])
    })
  })

  test('psql: one that would never end is killed at its deadline', async () => {
    const mute = createServer().listen(0, '127.0.0.1')
    await once(mute, 'listening')
    const { port } = mute.address() as AddressInfo
    const psql = Psql.open(`postgres://nobody@127.0.0.1:${port}/nothing`, 200)
    await expect(psql.until('what it never writes')).rejects.toThrow('psql ended without writing')
    await expect(psql.end()).rejects.toThrow('psql was ended by SIGKILL')
    mute.close()
  })
})
