import { z } from 'zod'
import { logLevels } from '../log/logger.ts'
import type { LogLevel } from '../log/logger.ts'

/** Everything that can be set, from the environment. */
export interface Config {
  readonly databaseUrl: string
  /** Whether the schema is brought up to date at the start; else somebody else sees to that. */
  readonly migrates: boolean
  /** `undefined`: cache and pub/sub within this process, for a shop of one instance. */
  readonly redisUrl: string | undefined
  readonly smtpUrl: string
  /** Who the shop's mails are from. */
  readonly mailFrom: string
  readonly stripeKey: string
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Where users reach the shop, without a slash at the end: for the links in mails. https makes the session's cookie `Secure`. */
  readonly publicUrl: string | undefined
  /** Opens the endpoints of the staff; `undefined`: nobody gets in. */
  readonly staffToken: string | undefined
  readonly logLevel: LogLevel
  /** How long a stop waits for requests under way, in milliseconds. */
  readonly stopMs: number
}

/** Thrown when the environment is not what it has to be. Says all that is wrong with it, and no values: some are secrets. */
export class ConfigError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`The shop cannot start with this environment:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}

function url(example: string, ...protocols: readonly string[]): z.ZodType<string> {
  return z
    .string({ error: `is missing: set it to something like ${example}` })
    .refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
      error: `is not a URL like ${example}`,
    })
}

function wholeNumber(fallback: number, { least, most }: { least: number; most: number }): z.ZodType<number> {
  const error = `is not a whole number from ${least} to ${most}`
  return z
    .string()
    .regex(/^\d{1,9}$/, { error })
    .transform(Number)
    .pipe(z.int().min(least, { error }).max(most, { error }))
    .default(fallback) as z.ZodType<number>
}

const environment = z.object({
  DATABASE_URL: url('postgres://user:password@host:5432/shop', 'postgres:', 'postgresql:'),
  MIGRATE: z.enum(['at-start', 'never'], { error: 'is not one of at-start, never' }).default('at-start'),
  REDIS_URL: url('redis://host:6379', 'redis:', 'rediss:').optional(),
  SMTP_URL: url('smtp://user:password@host:587', 'smtp:', 'smtps:'),
  MAIL_FROM: z.email({ error: 'is not an email address' }).default('shop@example.com'),
  STRIPE_KEY: z
    .string({ error: 'is missing: set it to the secret key of the Stripe account, sk_…' })
    .regex(/^[sr]k_\w+$/, { error: 'is not a secret key of Stripe, which begins with sk_ or rk_' }),
  HOST: z.string().default('127.0.0.1'),
  PORT: wholeNumber(3000, { least: 0, most: 65_535 }),
  PUBLIC_URL: url('https://shop.example.com', 'http:', 'https:').optional(),
  STAFF_TOKEN: z
    .string()
    .regex(/^[\w.~+/=-]{20,}$/, {
      error: 'is too short or has odd characters: 20 or more of A–Z a–z 0–9 . _ ~ + / = -',
    })
    .optional(),
  LOG_LEVEL: z
    .enum(logLevels as [LogLevel, ...LogLevel[]], { error: `is not one of ${logLevels.join(', ')}` })
    .default('info'),
  STOP_MS: wholeNumber(10_000, { least: 0, most: 600_000 }),
})

/** The names of the variables that are read. */
export const variables: readonly string[] = Object.keys(environment.shape)

/** Reads and checks the environment. Throws {@link ConfigError} with a line for each variable that is wrong. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  // A variable that is set but empty is not set: that is how shells and compose files clear one.
  const given = Object.fromEntries(variables.map((name) => [name, env[name]?.trim() || undefined]))
  const parsed = environment.safeParse(given)
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map(({ path, message }) => `${String(path[0])} ${message}`))
  }
  const read = parsed.data
  return {
    databaseUrl: read.DATABASE_URL,
    migrates: read.MIGRATE === 'at-start',
    redisUrl: read.REDIS_URL,
    smtpUrl: read.SMTP_URL,
    mailFrom: read.MAIL_FROM,
    stripeKey: read.STRIPE_KEY,
    host: read.HOST,
    port: read.PORT,
    publicUrl: read.PUBLIC_URL?.replace(/\/+$/, ''),
    staffToken: read.STAFF_TOKEN,
    logLevel: read.LOG_LEVEL,
    stopMs: read.STOP_MS,
  }
}
