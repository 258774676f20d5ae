import { test } from 'vitest'
import { describeIfFound, externalPostgresUrl } from '../support/require.ts'
import { runShards } from './support/shard-runs.ts'

const url = await externalPostgresUrl()

describeIfFound('external-postgres', url, 'on one external server', (found) => {
  test('four shards at once pass: one builds the template, they share no database, nothing is left', () =>
    runShards({ url: found, shards: 4 }))

  test('the same with real commits, a database for each test', () =>
    runShards({ url: found, shards: 4, isolation: 'database' }))

  test('four shards at once, one of them killed in the middle of a test: the others pass, and the next start leaves nothing of it', () =>
    runShards({ url: found, shards: 4, victim: 3 }))
})
