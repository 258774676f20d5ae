import { invalidOption, objectAt, refuseUnknownKeys } from '../core/options.ts'

/** Options of the component `http`. */
export interface HttpOptions {
  /** URLs of services whose requests go to the network in every test, unseen: `['https://login.example.com']`. Only their origin counts. */
  passthrough?: readonly string[]
}

/** {@link HttpOptions} checked and completed. Plain JSON. */
export interface ResolvedHttp {
  readonly passthrough: readonly string[]
}

const optionNames = ['passthrough'] as const satisfies readonly (keyof HttpOptions)[]

/** Checks the options. Throws `CONFIG_INVALID`. */
export function resolveHttp(options: unknown, source: string): ResolvedHttp {
  const given = objectAt(options, 'http', source)
  refuseUnknownKeys(given, optionNames, 'http', source)
  const { passthrough = [] } = given
  if (!Array.isArray(passthrough)) throw invalidOption('http.passthrough', passthrough, 'a list of URLs', source)
  return { passthrough: passthrough.map((url: unknown, index) => originAt(url, index, source)) }
}

function originAt(url: unknown, index: number, source: string): string {
  if (typeof url === 'string' && /^https?:/.test(url) && URL.canParse(url)) return new URL(url).origin
  throw invalidOption(`http.passthrough[${index}]`, url, "a URL as 'https://login.example.com'", source)
}
