import type { Json } from '../json.ts'

export type Listener = (message: Json) => void

/** Ends a subscription: its listener is not called again. Harmless when it has ended. */
export type Unsubscribe = () => Promise<void>

/**
 * Messages by topic, to whoever listens at the moment, in all instances of the shop that are given the same one. Messages of one
 * publisher arrive in their order. A listener that throws keeps no other from getting the message.
 */
export interface PubSub {
  /** Resolves when the message is on its way; throws when it cannot be sent. */
  publish(topic: string, message: Json): Promise<void>
  /** Resolves when the topic is listened to: what is published from then on arrives. */
  subscribe(topic: string, listener: Listener): Promise<Unsubscribe>
  /** Ends all subscriptions. */
  close(): Promise<void>
}
