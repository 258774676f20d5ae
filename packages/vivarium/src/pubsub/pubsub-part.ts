import { type Awaited, startWait, type Wait } from '../core/awaited.ts'
import type { SandboxOwner, SandboxPart } from '../core/owner.ts'
import { stillAwaited } from './inbox-errors.ts'

/** What one sandbox waits for in its inboxes. */
class PubsubPart implements SandboxPart {
  readonly #owner: SandboxOwner
  /** Each with what it is called where it is told of. */
  readonly #waits: Map<Pick<Wait<never>, 'end'>, string> = new Map()

  constructor(owner: SandboxOwner) {
    this.#owner = owner
  }

  /** Awaits something in this sandbox. Whoever still waits when it closes is told, and so is the test. */
  wait<T extends NonNullable<unknown>>(what: string, awaited: Awaited<T>): Promise<T> {
    const wait = startWait(awaited)
    const forget = (): void => void this.#waits.delete(wait)
    this.#waits.set(wait, what)
    wait.outcome.then(forget, forget)
    return wait.outcome
  }

  async settle(): Promise<void> {
    for (const [wait, what] of this.#waits) {
      const error = stillAwaited(what, this.#owner.title)
      this.#owner.recorder.fail(error)
      wait.end(() => {
        throw error
      })
    }
  }
}

/** Awaits something in the sandbox that asks for it. */
export function waitIn<T extends NonNullable<unknown>>(
  owner: SandboxOwner,
  what: string,
  awaited: Awaited<T>,
): Promise<T> {
  if (owner.state !== 'open') return tooLate(owner, what, awaited)
  return owner.part('pubsub', () => new PubsubPart(owner)).wait(what, awaited)
}

/** What is there already can be asserted all the same; to wait for more was not awaited in time. */
async function tooLate<T>(owner: SandboxOwner, what: string, awaited: Awaited<T>): Promise<T> {
  const found = awaited.look()
  if (found !== undefined) return found
  const error = stillAwaited(what, owner.title)
  owner.fail(error)
  throw error
}
