import type { ConnectionTarget } from '../connection/target.ts'

/** A running PostgreSQL server, embedded or someone else's, as the rest of Vivarium sees it. */
export interface PostgresServer extends AsyncDisposable {
  readonly kind: 'embedded' | 'external'
  /** `server_version_num`, e.g. `180004`. */
  readonly versionNumber: number
  /** A role that may create databases, on the maintenance database. */
  readonly maintenance: ConnectionTarget
  /** A database of this server, as the ordinary role that the application logs in as and that owns clones. */
  application(database: string): ConnectionTarget
  /** The same as a TCP URL, for people and tools. */
  applicationUrl(database: string): string
  /** Embedded only: keeps the cluster as it is now in the cache under `key`. Stops and restarts the server. */
  saveImage(key: string): Promise<void>
  close(): Promise<void>
}
