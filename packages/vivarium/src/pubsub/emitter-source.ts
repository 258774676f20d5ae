import type { MessageSource } from '../core/message-source.ts'

/** What is used of Node's EventEmitter. */
export interface EmitterLike {
  on(event: string | symbol, listener: (...args: unknown[]) => void): unknown
  off(event: string | symbol, listener: (...args: unknown[]) => void): unknown
}

/** What is used of an EventTarget. */
export interface EventTargetLike {
  addEventListener(type: string, listener: (event: unknown) => void): void
  removeEventListener(type: string, listener: (event: unknown) => void): void
}

/**
 * Events of a Node `EventEmitter`, each with its name as the topic. The payload is the event's argument; of several, their list.
 *
 * @example
 * ```ts
 * import { EventEmitter } from 'node:events'
 * import { expect } from 'vitest'
 * import { fromEmitter, openInbox } from 'vivarium/pubsub'
 *
 * const orders = new EventEmitter()
 * const inbox = await openInbox(fromEmitter(orders, 'paid', 'sent'))
 * orders.emit('paid', { id: 17 })
 * await expect(inbox).toReceive({ id: 17 }, { topic: 'paid' })
 * ```
 */
export function fromEmitter(
  emitter: EmitterLike,
  ...events: readonly [string | symbol, ...(string | symbol)[]]
): MessageSource {
  return {
    name: `event ${events.map(String).join(', ')}`,
    open: ({ deliver }) => {
      const listeners = events.map((event) => ({
        event,
        listen: (...args: readonly unknown[]): void =>
          deliver({ topic: String(event), payload: args.length > 1 ? args : args[0] }),
      }))
      for (const { event, listen } of listeners) emitter.on(event, listen)
      return () => {
        for (const { event, listen } of listeners) emitter.off(event, listen)
      }
    },
  }
}

/**
 * Events of an `EventTarget`, each with its type as the topic. The payload is what a `CustomEvent` has as `detail` or a
 * `MessageEvent` as `data`, else the event.
 */
export function fromEventTarget(target: EventTargetLike, ...types: readonly [string, ...string[]]): MessageSource {
  return {
    name: `event ${types.join(', ')}`,
    open: ({ deliver }) => {
      const listen = (event: unknown): void => {
        const { type, detail, data } = event as { type: string; detail?: unknown; data?: unknown }
        deliver({ topic: type, payload: detail ?? data ?? event })
      }
      for (const type of types) target.addEventListener(type, listen)
      return () => {
        for (const type of types) target.removeEventListener(type, listen)
      }
    },
  }
}
