import { Frontend } from '../protocol/message-types.ts'
import type { Frame } from './extended-protocol.ts'

/**
 * The way that a virtual connection's messages take: through the one session of a transaction sandbox, or to a real
 * connection of their own. A connection may change its path between units only.
 */
export interface ClientPath {
  /** Type of a message that was taken and waits; it comes first when the connection goes on. */
  readonly heldType: number | undefined
  /** The next message has to wait. */
  readonly isBlocked: boolean
  /** Nothing is under way: the next unit may take another path. */
  readonly isBetweenUnits: boolean
  /** How many units were taken whole and are still to be answered. */
  readonly unanswered: number
  readonly serverIsFull: boolean
  /** What runs or waits to run now; `undefined` between units. */
  readonly runningText: string | undefined
  onceServerDrained(callback: () => void): void
  clientIsFull(): void
  clientDrained(): void
  /** Everything taken so far goes out, to both sides. */
  flush(): void
  take(frame: Frame): void
  /** The client asked, on another connection, to cancel what runs here. Resolves when the server has been told. */
  cancel(): Promise<void> | undefined
  clientVanished(): void
}

/** Messages that begin a unit of work. */
export function startsUnit(type: number): boolean {
  switch (type) {
    case Frontend.query:
    case Frontend.parse:
    case Frontend.bind:
    case Frontend.describe:
    case Frontend.execute:
    case Frontend.close:
    case Frontend.functionCall:
      return true
    default:
      return false
  }
}
