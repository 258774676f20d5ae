import { reportToConsole } from '../report.ts'
import type { Report } from '../report.ts'
import type { PubSub } from './pub-sub.ts'
import { TopicListeners } from './topic-listeners.ts'

/** Messages within this process, for a shop on one machine. */
export function createMemoryPubSub({ report = reportToConsole }: { readonly report?: Report } = {}): PubSub {
  const listeners = new TopicListeners(report)
  return {
    async publish(topic, message) {
      const text = JSON.stringify(message)
      // Not within the publisher's own call: a listener that is slow, or publishes, must not get in its way.
      const deliver = listeners.whoListens(topic)
      setImmediate(() => deliver(text))
    },

    async subscribe(topic, listener) {
      const remove = listeners.add(topic, listener)
      return async () => {
        remove()
      }
    },

    async close() {
      listeners.clear()
    },
  }
}
