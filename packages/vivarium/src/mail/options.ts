import { countAt, invalidOption, objectAt, type OptionsContext, refuseUnknownKeys, textAt } from '../core/options.ts'

/** Names of the environment variables of an application that reads its mail server in parts. */
export interface MailEnvironment {
  /** Gets the whole URL: `smtp://127.0.0.1:40123`. */
  url?: string
  /** Gets the host alone. */
  host?: string
  /** Gets the port alone. */
  port?: string
}

/** What Vivarium is to do about mail. */
export interface MailOptions {
  /**
   * The environment variable that the application reads its mail server's URL from, or one each for URL, host and port.
   * They are only ever written.
   * @default 'SMTP_URL'
   */
  env?: string | MailEnvironment
  /** Bytes that one mail may have; a larger one is refused with 552, as the server tells by `SIZE`. @default 52_428_800 */
  maxBytes?: number
  /**
   * Offers STARTTLS to mail clients. It is accepted in any case; a client that is offered it (nodemailer) takes it, and refuses the
   * server's self-signed certificate unless it was told to trust `vivarium.mail.certificate`, or anyone.
   * @default false
   */
  offerTls?: boolean
}

/** {@link MailOptions} checked and completed; plain JSON, for the workers. */
export interface ResolvedMail {
  readonly env: Readonly<MailEnvironment>
  readonly maxBytes: number
  readonly offerTls: boolean
}

const optionNames = ['env', 'maxBytes', 'offerTls'] as const satisfies readonly (keyof MailOptions)[]
const environmentNames = ['url', 'host', 'port'] as const satisfies readonly (keyof MailEnvironment)[]

/** Checks the `mail` options and completes them. Throws `CONFIG_INVALID` naming the option. */
export function resolveMail(value: unknown, { source }: Pick<OptionsContext, 'source'>): ResolvedMail {
  const given = objectAt(value, 'mail', source)
  refuseUnknownKeys(given, optionNames, 'mail', source)
  const { offerTls = false } = given
  if (typeof offerTls !== 'boolean') throw invalidOption('mail.offerTls', offerTls, 'true or false', source)
  return {
    env: resolveEnvironment(given.env, source),
    maxBytes: countAt(given.maxBytes, 'mail.maxBytes', source, 1) ?? 50 * 1024 * 1024,
    offerTls,
  }
}

function resolveEnvironment(given: unknown, source: string): MailEnvironment {
  if (given === undefined) return { url: 'SMTP_URL' }
  if (typeof given !== 'object') return { url: textAt(given, 'mail.env', source) }
  const names = objectAt(given, 'mail.env', source)
  refuseUnknownKeys(names, environmentNames, 'mail.env', source)
  return Object.fromEntries(environmentNames.map((name) => [name, textAt(names[name], `mail.env.${name}`, source)]))
}
