import type { Isolation } from '../../core/options.ts'
import type { Recorder } from '../../core/interactions.ts'
import type { OwnMessage } from '../protocol/server-message.ts'

/** One sandbox's part in the Postgres gateway. */
export interface PostgresSandbox {
  /** URL pinned to this sandbox, for concurrent tests and other processes. */
  readonly url: string
  /**
   * Verifies, ends what is still open, rolls back. Never rejects: it resolves to every failure found, in order,
   * and to an empty list when all is well. A second call resolves to an empty list.
   *
   * `endClients` is called between the two: what is left open has been reported and ended, and statements still work. It
   * must not reject.
   */
  close(endClients?: () => Promise<void>): Promise<readonly unknown[]>
}

/** What a sandbox asks of the gateway. */
export interface OpenPostgresSandboxOptions {
  /** Names the sandbox in messages: usually the test's full name. */
  title: string
  recorder: Recorder
  isolation: Isolation
  /** The stable URL follows this sandbox until it closes. */
  current: boolean
  /** The sandbox this one is nested in: it sees what that one did. */
  within?: PostgresSandbox
}

/** Why the stable URL is of no use for now: tests run at once, and nothing tells whose work a statement is. */
export interface StableRefusal {
  /** What the client gets. */
  readonly message: OwnMessage
  /** Called each time a client got it. */
  readonly onRefused: () => void
}
