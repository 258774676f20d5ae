import { startDeadline } from './clock.ts'

/** Something that is awaited with a deadline. */
export interface Awaited<T> {
  /** What it came to; `undefined` as long as it has not come. What it throws ends the wait. */
  look(): T | undefined
  /** Calls `changed` whenever it is worth another look; returns how to stop. */
  follow(changed: () => void): () => void
  /** Milliseconds. */
  readonly within: number
  /** What it comes to when it has not come in time; throws what the wait is to reject with. */
  late(): T
}

/** A wait that is under way. */
export interface Wait<T> {
  readonly outcome: Promise<T>
  /** Ends it before its time; `end` gives what it comes to, or throws. Nothing happens when it is over. */
  end(end: () => T): void
}

/** Looks at once, then with every change, until it has come or the deadline has passed. */
export function startWait<T extends NonNullable<unknown>>({ look, follow, within, late }: Awaited<T>): Wait<T> {
  const { promise, resolve, reject } = withResolvers<T>()
  let isOver = false
  let stop: (() => void) | undefined
  const end = (how: () => T): void => {
    if (isOver) return
    isOver = true
    stop?.()
    try {
      resolve(how())
    } catch (error) {
      reject(error)
    }
  }
  const lookAgain = (): void => {
    try {
      const found = look()
      if (found !== undefined) end(() => found)
    } catch (error) {
      end(() => {
        throw error
      })
    }
  }
  lookAgain()
  if (!isOver) {
    const deadline = startDeadline(within, () => end(late))
    const unfollow = follow(lookAgain)
    stop = () => {
      deadline.cancel()
      unfollow()
    }
  }
  return { outcome: promise, end }
}

// Promise.withResolvers: not in Node 20.
function withResolvers<T>(): {
  promise: Promise<T>
  resolve: (value: T) => void
  reject: (error: unknown) => void
} {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((whenResolved, whenRejected) => {
    resolve = whenResolved
    reject = whenRejected
  })
  return { promise, resolve, reject }
}
