import type { Recorder } from './interactions.ts'
import type { SourceSandbox } from './message-source.ts'
import { findCurrent, findSandbox, type RegisteredSandbox } from './registry.ts'

/**
 * A component's part in one sandbox: made when the sandbox first touches the component, ended with it. A test that does not
 * use a component pays nothing for it.
 */
export interface SandboxPart {
  /**
   * Called first when the sandbox closes, while everything still answers: waits for what is under way, with a deadline of
   * its own, and reports what did not end by `owner.recorder.fail`.
   */
  settle?(): Promise<void>
  /**
   * Called when the sandbox's clients and its database have ended: takes away what it made. With a deadline of its own; what fails
   * is reported by `owner.recorder.fail`.
   */
  end?(): Promise<void>
  /** Called last: every promise that was broken. */
  verify?(): readonly unknown[]
}

/** What a component asks of the sandbox that owns its part, whichever copy of Vivarium made it. */
export interface SandboxOwner extends RegisteredSandbox, SourceSandbox {
  readonly state: 'open' | 'closing' | 'closed'
  /**
   * The sandbox around it (a test's file): what was set up there serves here, too. Also for a concurrent test, which cannot
   * share that one's database.
   */
  readonly around: SandboxOwner | undefined
  readonly recorder: Recorder
  /** Milliseconds since it opened: the `at` of its interactions. */
  elapsed(): number
  /** The sandbox's part of a component; `make` is called at the first use. Once it is closed only what was made is found. */
  part<T extends SandboxPart>(component: string, make: (owner: SandboxOwner) => T): T
  /** The sandbox's part of a component, if it has one. */
  knownPart<T extends SandboxPart>(component: string): T | undefined
  /** Throws `SANDBOX_CLOSED` unless the sandbox is open. */
  assertOpen(action: string): void
  /**
   * Takes over something that belongs to this sandbox: `close` is called once, last taken first, while the sandbox closes and
   * its components still answer. What it rejects with fails the sandbox. `close` must have a deadline of its own.
   */
  own(name: string, close: () => Promise<unknown> | void): void
  /** Records a failure that must fail the test; once the sandbox is closed it fails the one around it. */
  fail(error: unknown): void
}

/** The sandbox of this flow, else the worker's current one, as its components see it; else `undefined`. */
export function findOwner(): SandboxOwner | undefined {
  return findSandbox() as SandboxOwner | undefined
}

/** The sandbox that the worker's stable URLs mean, as its components see it; else `undefined`. */
export function findCurrentOwner(): SandboxOwner | undefined {
  return findCurrent() as SandboxOwner | undefined
}

/** Whether `inner` is `outer`, or a sandbox inside of it. */
export function isWithin(inner: SandboxOwner | undefined, outer: SandboxOwner): boolean {
  for (let owner = inner; owner !== undefined; owner = owner.around) if (owner === outer) return true
  return false
}
