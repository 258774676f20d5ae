import type { RedisTarget } from '../connection/target.ts'

/** A server to work on. */
export interface RedisServer {
  readonly kind: 'own' | 'external'
  readonly target: RedisTarget
  /** For tools and comparisons. */
  readonly url: string
  /** Resolves with the reason when a server of ours ended without having been asked to. */
  readonly lost: Promise<Error>
  close(): Promise<void>
}
