import { type Fidelity, fidelityAt, objectAt, type OptionsContext, refuseUnknownKeys } from '../core/options.ts'
import { type MailOptions, type ResolvedMail, resolveMail } from '../mail/options.ts'
import { type HttpOptions, type ResolvedHttp, resolveHttp } from '../http/options.ts'
import { type PostgresOptions, type ResolvedPostgres, resolvePostgres } from '../postgres/component/options.ts'
import { type RedisOptions, type ResolvedRedis, resolveRedis } from '../redis/component/options.ts'

/** Everything that can be configured; the default export of `vivarium.config.ts`. */
export interface VivariumOptions {
  postgres?: PostgresOptions
  /** A Redis of its own for each test: `{}` uses the server that is installed here. Left out, there is none. */
  redis?: RedisOptions
  /** A mail server in each worker: `{}` is enough. Left out, there is none. */
  mail?: MailOptions
  /**
   * Requests of the tests' process to other machines are answered by what a test says of its services (`vivarium/http`), from the start; one
   * that nothing allows fails its test. Left out, that begins with the first `defineService`.
   */
  http?: HttpOptions
  /**
   * What becomes of a fidelity warning, something that would behave differently in production: `'warn'` records it in
   * `sandbox.fidelityWarnings` and the runner prints it once; `'fail'` also makes the sandbox's close report each one as
   * `FIDELITY_WARNING`, which fails the test.
   * @default 'warn'
   */
  fidelity?: Fidelity
}

/** {@link VivariumOptions} checked and completed. */
export interface ResolvedOptions {
  readonly postgres: ResolvedPostgres | undefined
  readonly redis: ResolvedRedis | undefined
  readonly mail: ResolvedMail | undefined
  readonly http: ResolvedHttp | undefined
  readonly fidelity: Fidelity
}

/**
 * Types the default export of `vivarium.config.ts`; returns it unchanged.
 *
 * @example
 * ```ts
 * import { defineConfig } from 'vivarium'
 *
 * export default defineConfig({ postgres: { migrations: './migrations' } })
 * ```
 */
export function defineConfig(options: VivariumOptions): VivariumOptions {
  return options
}

const optionNames = [
  'postgres',
  'redis',
  'mail',
  'http',
  'fidelity',
] as const satisfies readonly (keyof VivariumOptions)[]

/**
 * Checks options and fills in what was left out. Throws `CONFIG_INVALID` naming the key, what was seen and the nearest
 * known name.
 */
export function resolveOptions(options: unknown, context: OptionsContext): ResolvedOptions {
  const given = objectAt(options, '', context.source)
  refuseUnknownKeys(given, optionNames, '', context.source)
  return {
    postgres: given.postgres === undefined ? undefined : resolvePostgres(given.postgres, context),
    redis: given.redis === undefined ? undefined : resolveRedis(given.redis, context),
    mail: given.mail === undefined ? undefined : resolveMail(given.mail, context),
    http: given.http === undefined ? undefined : resolveHttp(given.http, context.source),
    fidelity: fidelityAt(given.fidelity, 'fidelity', context.source) ?? 'warn',
  }
}
