import { openTogether } from '../core/lifecycle.ts'
import { joinMail } from '../mail/mail-server.ts'
import { joinHttp } from '../http/join-http.ts'
import { joinPostgres } from '../postgres/component/worker.ts'
import { joinRedis } from '../redis/component/worker.ts'
import { JoinedVivarium, type JoinInfo } from './vivarium.ts'

/** Takes part in a vivarium that `describe()` told about, without owning its server, template or run. */
export async function joinVivarium(info: JoinInfo): Promise<JoinedVivarium> {
  return openTogether(async (opened) => {
    if (info.http !== undefined) await joinHttp(info.http)
    const postgres = info.postgres && (await joinPostgres(info.postgres))
    if (postgres !== undefined) opened.add('the Postgres gateway', () => postgres.close())
    const redis = info.redis && (await joinRedis(info.redis))
    if (redis !== undefined) opened.add('the Redis gateway', () => redis.close())
    const mail = info.mail && (await joinMail(info.mail))
    if (mail !== undefined) opened.add('the mail server', () => mail.close())
    return new JoinedVivarium(info, { postgres, redis, mail, opened })
  })
}
