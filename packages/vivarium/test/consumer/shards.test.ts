import { test } from 'vitest'
import { describeIfFound, externalPostgresUrl } from '../support/require.ts'
import { runShards } from './support/shard-runs.ts'

const url = await externalPostgresUrl()

describeIfFound('external-postgres', url, 'on one external server', (found) => {
  test(
    'two shards started at once, with two workers each, pass: one builds the template, they share no database, nothing is left',
    { timeout: 120_000 },
    () => runShards({ url: found, shards: 2 }),
  )
})
