import { realClearInterval, realSetInterval } from '../../core/clock.ts'
import { removeKeys } from '../commands/own-scripts.ts'
import type { RedisClient } from '../connection/client.ts'
import type { Reply } from '../protocol/reply.ts'

// The runs that have something on the server. It is gone when the last of them has.
const runsKey = 'vivarium:runs'
const nameOf = (id: string): string => `vivarium-run-${id}`

/** More often than any server closes a connection that says nothing (its `timeout`), but for one that is set to nearly nothing. */
const pingMs = 5000

/**
 * Enters a run on a server that is not ours. Its connection is its life: a run that has none any more is dead, on whatever machine it
 * was, and what it left is removed by the next. It says something now and then, and is opened again when it was closed. Returns what
 * ends it.
 */
export async function openRedisRun(open: () => Promise<RedisClient>, id: string): Promise<() => Promise<void>> {
  const life = new RunLife(open, id)
  try {
    const client = await life.connected()
    await sweepDeadRuns(client)
    await client.command('SADD', runsKey, id)
  } catch (error) {
    await life.close()
    throw error
  }
  return async () => {
    try {
      await removeRun(await life.connected(), id)
    } finally {
      await life.close()
    }
  }
}

/** The connection that has a run's name. */
class RunLife {
  readonly #open: () => Promise<RedisClient>
  readonly #id: string
  readonly #timer: NodeJS.Timeout
  #client: Promise<RedisClient> | undefined
  #isClosed = false

  constructor(open: () => Promise<RedisClient>, id: string) {
    this.#open = open
    this.#id = id
    this.#timer = realSetInterval(() => this.#ping(), pingMs)
    this.#timer.unref()
  }

  connected(): Promise<RedisClient> {
    if (this.#client !== undefined) return this.#client
    const opening = this.#enter()
    this.#client = opening
    const forget = (): void => {
      if (this.#client === opening) this.#client = undefined
    }
    opening.then(async ({ ended }) => {
      await ended
      forget()
      // What fails now is tried again with the next PING.
      if (!this.#isClosed) await this.connected().catch(() => undefined)
    }, forget)
    return opening
  }

  async close(): Promise<void> {
    this.#isClosed = true
    realClearInterval(this.#timer)
    await (await this.#client?.catch(() => undefined))?.close()
  }

  async #enter(): Promise<RedisClient> {
    const client = await this.#open()
    try {
      await client.command('CLIENT', 'SETNAME', nameOf(this.#id))
      return client
    } catch (error) {
      await client.close()
      throw error
    }
  }

  #ping(): void {
    this.connected()
      .then((client) => client.command('PING'))
      .catch(() => undefined)
  }
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
