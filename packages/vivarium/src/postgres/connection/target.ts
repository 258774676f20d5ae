/** How TLS is negotiated with a server: libpq's `sslmode` values that we honour. */
export type TlsMode = 'disable' | 'prefer' | 'require' | 'verify-full'

/** Where and as whom to connect. Plain data, so that it can be handed to another process. */
export interface ConnectionTarget {
  readonly host: string
  readonly port: number
  /** Folder of a unix socket; when set, `host` is only a label. */
  readonly socketFolder?: string
  readonly user: string
  readonly password?: string
  readonly database: string
  /** @default 'prefer' */
  readonly tls?: TlsMode
  /** Start-up parameters, e.g. `application_name`. */
  readonly parameters: Readonly<Record<string, string>>
}
