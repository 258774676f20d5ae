import { AsyncResource } from 'node:async_hooks'
import { now } from '../core/clock.ts'
import type { SandboxOwner } from '../core/owner.ts'
import { runInContext } from '../core/registry.ts'

/** One request on its way: sent by a client, arrived whole, ended. */
export class Exchange {
  readonly owner: SandboxOwner
  /** The origin that the client asked for. */
  readonly origin: string
  /** Milliseconds since the owner opened. */
  readonly at: number
  readonly ended: Promise<void>
  readonly #startedAt: number = now()
  /** The flow that made the request: what a handler does belongs to it. */
  readonly #flow: AsyncResource = new AsyncResource('vivarium.http')
  readonly #gone: AbortController = new AbortController()
  #state: 'sent' | 'arrived' | 'ended' = 'sent'
  #end!: () => void

  constructor(owner: SandboxOwner, origin: string) {
    this.owner = owner
    this.origin = origin
    this.at = owner.elapsed()
    this.ended = new Promise((resolve) => (this.#end = resolve))
  }

  get state(): 'sent' | 'arrived' | 'ended' {
    return this.#state
  }

  get durationMs(): number {
    return now() - this.#startedAt
  }

  /** Aborted when nobody waits for the answer any more. */
  get gone(): AbortSignal {
    return this.#gone.signal
  }

  arrive(): void {
    if (this.#state === 'sent') this.#state = 'arrived'
  }

  end(): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#gone.abort()
    this.#end()
  }

  /** Runs `fn` in the flow that made the request, and in its sandbox. */
  run<T>(fn: () => T): T {
    return this.#flow.runInAsyncScope(() => runInContext(this.owner, fn))
  }
}
