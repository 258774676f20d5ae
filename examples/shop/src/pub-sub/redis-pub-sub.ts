import { connectRedis } from '../redis.ts'
import type { RedisConnectionOptions } from '../redis.ts'
import { reportToConsole } from '../report.ts'
import type { PubSub } from './pub-sub.ts'
import { TopicListeners } from './topic-listeners.ts'

/**
 * Messages through Redis, for a shop of many machines. What is published while an instance has lost its connection does not reach
 * that instance; it listens again to everything as soon as it is connected again.
 */
export function openRedisPubSub(options: RedisConnectionOptions): PubSub {
  const publisher = connectRedis(options)
  // A connection that listens can do nothing else.
  const subscriber = connectRedis(options)
  const listeners = new TopicListeners(options.report ?? reportToConsole)
  subscriber.commands.on('message', (topic: string, text: string) => listeners.whoListens(topic)(text))
  return {
    async publish(topic, message) {
      await publisher.commands.publish(topic, JSON.stringify(message))
    },

    async subscribe(topic, listener) {
      const remove = listeners.add(topic, listener)
      try {
        // Also when another listener has asked for it: the answer says that it is so by now.
        await subscriber.commands.subscribe(topic)
      } catch (error) {
        if (remove()) await subscriber.commands.unsubscribe(topic).catch(() => {})
        throw error
      }
      // Redis is told in the order in which the listeners come and go: whoever comes after the last one subscribes behind it.
      return async () => {
        if (remove()) await subscriber.commands.unsubscribe(topic)
      }
    },

    async close() {
      listeners.clear()
      await Promise.all([publisher.close(), subscriber.close()])
    },
  }
}
