/**
 * Timers captured when this module is loaded, so that a test's faked timers do not stop Vivarium.
 */
export const realSetTimeout: typeof setTimeout = globalThis.setTimeout
export const realClearTimeout: typeof clearTimeout = globalThis.clearTimeout
export const realSetInterval: typeof setInterval = globalThis.setInterval
export const realClearInterval: typeof clearInterval = globalThis.clearInterval
/** Also for what the build bundles (scripts/support/bundle-mail-libraries.ts). @public */
export const realSetImmediate: typeof setImmediate = globalThis.setImmediate
const performanceNow = performance.now.bind(performance)

/** Milliseconds on a monotonic clock, unaffected by faked timers. */
export function now(): number {
  return performanceNow()
}

/** A timer that calls back once; `cancel` is safe at any moment. */
export interface Deadline {
  cancel(): void
}

/**
 * Calls `expired` once `ms` milliseconds have passed **with the event loop running**: the time is counted in
 * slices, and a slice during which the loop was blocked (or a debugger held it) counts as one slice only.
 */
export function startDeadline(ms: number, expired: () => void): Deadline {
  const slice = Math.max(1, Math.min(50, Math.ceil(ms / 4)))
  let left = ms
  let timer: NodeJS.Timeout | undefined
  const tick = (): void => {
    left -= slice
    if (left > 0) arm()
    else {
      timer = undefined
      expired()
    }
  }
  const arm = (): void => {
    timer = realSetTimeout(tick, Math.min(slice, left))
  }
  arm()
  return {
    cancel: () => {
      if (timer !== undefined) realClearTimeout(timer)
      timer = undefined
    },
  }
}

/** Rejects with `onExpired()` unless `promise` settles within `ms` milliseconds. */
export function withDeadline<T>(promise: Promise<T>, ms: number, onExpired: () => Error): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const deadline = startDeadline(ms, () => reject(onExpired()))
    promise.then(
      (value) => {
        deadline.cancel()
        resolve(value)
      },
      (error: unknown) => {
        deadline.cancel()
        reject(error)
      },
    )
  })
}

/** Resolves after one full turn of the event loop, so that bytes already sent to this process have been read. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => realSetImmediate(resolve))
}
