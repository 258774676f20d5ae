/** What opening a vivarium needs, in one module: the build makes one file of it, because loading many takes longer. */
export { joinMail } from '../mail/mail-server.ts'
export { joinHttp } from '../http/join-http.ts'
export { joinPostgres } from '../postgres/component/worker.ts'
export { joinRedis } from '../redis/component/worker.ts'
export { openVivariumHost } from './host.ts'
export { JoinedVivarium } from './vivarium.ts'
