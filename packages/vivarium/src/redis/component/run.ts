import { removeKeys } from '../commands/own-scripts.ts'
import type { RedisClient } from '../connection/client.ts'
import type { Reply } from '../protocol/reply.ts'

// The runs that have something on the server. It is gone when the last of them has.
const runsKey = 'vivarium:runs'
const nameOf = (id: string): string => `vivarium-run-${id}`

/**
 * Enters a run on a server that is not ours. Its connection is its life: a run that has none any more is dead, on whatever machine it
 * was, and what it left is removed by the next. Returns what ends it.
 */
export async function openRedisRun(client: RedisClient, id: string): Promise<() => Promise<void>> {
  await client.command('CLIENT', 'SETNAME', nameOf(id))
  await sweepDeadRuns(client)
  await client.command('SADD', runsKey, id)
  return () => removeRun(client, id)
}

async function sweepDeadRuns(client: RedisClient): Promise<void> {
  const known = await client.command('SMEMBERS', runsKey)
  const ids = 'items' in known ? (known.items ?? []).map(textOf) : []
  if (ids.length === 0) return
  let connected: string
  try {
    connected = textOf(await client.command('CLIENT', 'LIST'))
  } catch {
    // It may not be told who is there: then nothing is taken for dead.
    return
  }
  const dead = ids.filter((id) => !connected.includes(` name=${nameOf(id)} `))
  for (const id of dead) await removeRun(client, id)
}

async function removeRun(client: RedisClient, id: string): Promise<void> {
  await client.command('EVAL', removeKeys, '0', `vivarium:${id}:*`)
  await client.command('SREM', runsKey, id)
}

function textOf(reply: Reply): string {
  return 'bytes' in reply ? (reply.bytes?.toString() ?? '') : ''
}
