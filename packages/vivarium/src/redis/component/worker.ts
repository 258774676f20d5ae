import type { CommandTable } from '../commands/command-table.ts'
import type { RedisTarget } from '../connection/target.ts'
import { openRedisGateway, type RedisGateway } from '../gateway/gateway.ts'

/** What a worker needs to join the Redis part of a run. Plain JSON. */
export interface RedisJoinInfo {
  readonly target: RedisTarget
  /** The plain server, with nothing sandboxed. */
  readonly serverUrl: string
  /** The environment variable that the application reads its URL from. */
  readonly env: string
  readonly table: CommandTable
  readonly databases: number
  /** The server is one of our own. */
  readonly ownsServer: boolean
  /** What stands before all names of the run. */
  readonly prefix: string
}

/** Opens this process's gateway. The server is connected to when something needs it. */
export function joinRedis(info: RedisJoinInfo): Promise<RedisGateway> {
  return openRedisGateway(info)
}
