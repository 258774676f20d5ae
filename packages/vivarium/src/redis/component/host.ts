import { randomBytes } from 'node:crypto'
import { VivariumError } from '../../core/errors.ts'
import { openTogether } from '../../core/lifecycle.ts'
import { readCommandTable } from '../commands/command-table.ts'
import { copyKeys, removeKeys } from '../commands/own-scripts.ts'
import { openRedisClient, type RedisClient } from '../connection/client.ts'
import { describeTarget, type RedisTarget } from '../connection/target.ts'
import type { Reply } from '../protocol/reply.ts'
import { useExternalServer } from '../server/external-server.ts'
import { startRedisServer } from '../server/own-server.ts'
import type { ResolvedRedis } from './options.ts'
import { openRedisRun } from './run.ts'
import type { RedisJoinInfo } from './worker.ts'

/** The Redis part of a run, in the process that owns it. */
export interface RedisHost {
  readonly joinInfo: RedisJoinInfo
  /** Resolves with `SERVER_DIED` when a server of ours ended without having been asked to. */
  readonly lost: Promise<Error>
  /** Removes what the run left on the server, or ends the server. Rejects with an `AggregateError` of what failed. */
  close(): Promise<void>
}

/** Finds or starts the server and opens the run on it. */
export function openRedisHost({ url, env }: ResolvedRedis): Promise<RedisHost> {
  return openTogether(async (opened) => {
    const server = url === undefined ? await startRedisServer() : useExternalServer(url)
    opened.add('the Redis server', () => server.close())
    const { target } = server
    const client = await openRedisClient(target)
    opened.add('the connection to Redis', () => client.close())
    const id = randomBytes(5).toString('hex')
    await refuseUnfit(client, target)
    if (server.kind === 'external') await refuseWithoutRights(client, target, id)
    const table = readCommandTable(await client.command('COMMAND'))
    const databases =
      Number(textOf(listOf(await client.command('CONFIG', 'GET', 'databases').catch(() => undefined))[1])) || 16
    // With a server of our own all that is in it goes.
    if (server.kind === 'external') {
      opened.add("the run's keys", await openRedisRun(() => openRedisClient(target), id))
    }
    return {
      joinInfo: {
        target,
        serverUrl: server.url,
        env,
        table,
        databases: Math.max(databases, 16),
        ownsServer: server.kind === 'own',
        prefix: `vivarium:${id}:`,
      },
      lost: server.lost,
      close: async () => {
        const failures = await opened.closeAll()
        if (failures.length > 0) throw new AggregateError(failures, 'Closing the Redis run failed')
      },
    }
  })
}

async function refuseUnfit(client: RedisClient, target: RedisTarget): Promise<void> {
  const info = textOf(await allowed(target, client.command('INFO', 'server')))
  const version = /^redis_version:(\d+)\.(\d+\S*)/m.exec(info)
  if (Number(version?.[1] ?? 0) < 7) {
    throw new VivariumError('REDIS_TOO_OLD', {
      what: `The Redis server at ${describeTarget(target)} is too old.`,
      seen: version === null ? 'no version' : `version ${version[1]}.${version[2]}`,
      remedy: 'Vivarium needs Redis 7 or Valkey: older ones do not tell where the keys of a command are.',
    })
  }
  if (!/^redis_mode:cluster/m.test(info)) return
  throw new VivariumError('REDIS_CLUSTER', {
    what: `The Redis server at ${describeTarget(target)} is part of a cluster.`,
    remedy: 'Name a single server in VIVARIUM_REDIS_URL; without it one is started.',
  })
}

/** What a run does on a server that is not ours, tried where there is nothing, before anything depends on it. */
async function refuseWithoutRights(client: RedisClient, target: RedisTarget, id: string): Promise<void> {
  const nowhere = `vivarium:${id}:none:`
  const tried: readonly (readonly string[])[] = [
    ['EVAL', removeKeys, '0', `${nowhere}*`],
    ['EVAL', copyKeys, '0', nowhere, nowhere],
    ['UNLINK', `${nowhere}key`],
    ['PUBLISH', `${nowhere}channel`, ''],
    ['CLIENT', 'UNBLOCK', '0'],
    ['COMMAND'],
  ]
  for (const command of tried) await allowed(target, client.command(...command))
}

async function allowed(target: RedisTarget, replied: Promise<Reply>): Promise<Reply> {
  try {
    return await replied
  } catch (cause) {
    const seen = cause instanceof Error ? cause.message : String(cause)
    if (!/NOPERM|The user executing the script/.test(seen)) throw cause
    throw new VivariumError('REDIS_RIGHTS_MISSING', {
      what: `The user at the Redis server ${describeTarget(target)} may not do what Vivarium does there.`,
      seen,
      remedy:
        'Give it everything on the keys and channels of tests, and what finds and removes them: `ACL SETUSER name ~vivarium:* &vivarium:* ' +
        '&__key* +@all -@admin +info +keys +client|list +client|unblock +config|get`. Or name another user in the URL.',
      cause,
    })
  }
}

function listOf(reply: Reply | undefined): readonly Reply[] {
  return reply !== undefined && 'items' in reply ? (reply.items ?? []) : []
}

function textOf(reply: Reply | undefined): string {
  return reply !== undefined && 'bytes' in reply ? (reply.bytes?.toString() ?? '') : ''
}
