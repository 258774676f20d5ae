import type { OpenResources } from '../core/lifecycle.ts'
import { joinHttp } from '../http/join-http.ts'
import { joinPostgres } from '../postgres/component/worker.ts'
import type { JoinInfo, VivariumParts } from './vivarium.ts'

/**
 * This process's part of each component of a run; each is closed with `opened`. Postgres comes with this module; the others are loaded by
 * those that have them.
 */
export async function joinComponents(
  info: JoinInfo,
  opened: OpenResources,
): Promise<Pick<VivariumParts, 'postgres' | 'redis' | 'mail'>> {
  if (info.http !== undefined) await joinHttp(info.http)
  const postgres = info.postgres && (await joinPostgres(info.postgres))
  if (postgres !== undefined) opened.add('the Postgres gateway', () => postgres.close())
  const redis = info.redis && (await (await import('../redis/component/worker.ts')).joinRedis(info.redis))
  if (redis !== undefined) opened.add('the Redis gateway', () => redis.close())
  const mail = info.mail && (await (await import('../mail/mail-server.ts')).joinMail(info.mail))
  if (mail !== undefined) opened.add('the mail server', () => mail.close())
  return { postgres, redis, mail }
}
