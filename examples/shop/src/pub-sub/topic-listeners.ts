import type { Json } from '../json.ts'
import type { Report } from '../report.ts'
import type { Listener } from './pub-sub.ts'

/** An object of its own for each, also of one listener twice. */
interface Subscription {
  readonly listener: Listener
}

/** Who listens to what, in this process. */
export class TopicListeners {
  readonly #report: Report
  readonly #topics = new Map<string, Set<Subscription>>()

  constructor(report: Report) {
    this.#report = report
  }

  /** Adds a listener; the function that is returned takes it away, and says whether it was the topic's last. */
  add(topic: string, listener: Listener): () => boolean {
    const subscription = { listener }
    const known = this.#topics.get(topic)
    if (known) known.add(subscription)
    else this.#topics.set(topic, new Set([subscription]))
    return () => {
      const others = this.#topics.get(topic)
      if (!others?.delete(subscription) || others.size > 0) return false
      return this.#topics.delete(topic)
    }
  }

  /** Who listens to a topic now: the returned function hands a message to those of them who still do. */
  whoListens(topic: string): (text: string) => void {
    const subscriptions = this.#topics.get(topic)
    const now = [...(subscriptions ?? [])]
    return (text) => {
      for (const subscription of now) if (subscriptions?.has(subscription)) this.#hand(subscription, topic, text)
    }
  }

  #hand({ listener }: Subscription, topic: string, text: string): void {
    try {
      // Each has a copy of its own.
      listener(JSON.parse(text) as Json)
    } catch (error) {
      this.#report(`A message on ${topic} was not taken`, error)
    }
  }

  clear(): void {
    for (const subscriptions of this.#topics.values()) subscriptions.clear()
    this.#topics.clear()
  }
}
