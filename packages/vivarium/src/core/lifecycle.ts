/** Something opened that must be closed, with the name it has in messages. */
interface OpenResource {
  readonly name: string
  readonly close: () => Promise<unknown> | void
}

/**
 * What an owner has opened, closed again in reverse order. Every part is closed, even when one before it failed.
 */
export class OpenResources {
  readonly #open: OpenResource[] = []

  /** Takes over something opened: `close` will be called once. */
  add(name: string, close: () => Promise<unknown> | void): void {
    this.#open.push({ name, close })
  }

  get isEmpty(): boolean {
    return this.#open.length === 0
  }

  /** Closes all, last opened first, and returns every failure in the order it was found. Never rejects. */
  async closeAll(): Promise<readonly unknown[]> {
    const failures: unknown[] = []
    for (let resource = this.#open.pop(); resource !== undefined; resource = this.#open.pop()) {
      try {
        await resource.close()
      } catch (cause) {
        failures.push(cause instanceof Error ? cause : new Error(`Closing ${resource.name} failed`, { cause }))
      }
    }
    return failures
  }
}

/** Work that nobody waits for now, and that must have ended before its owner has. */
export class BackgroundWork {
  readonly #work = new Set<Promise<unknown>>()
  readonly #failures: unknown[] = []

  add(work: Promise<unknown>): void {
    const settled: Promise<unknown> = work.then(
      () => this.#work.delete(settled),
      (error: unknown) => {
        this.#work.delete(settled)
        this.#failures.push(error)
      },
    )
    this.#work.add(settled)
  }

  /** Waits for all of it; rejects with an `AggregateError` of what failed. */
  async settled(): Promise<void> {
    await Promise.all(this.#work)
    const failures = this.#failures.splice(0)
    if (failures.length > 0) throw new AggregateError(failures, 'Work in the background failed')
  }
}

/**
 * Opens several things in turn. When one fails, those before it are closed again and the failure is rethrown;
 * what went wrong while closing is attached to it as `suppressed`.
 */
export async function openTogether<T>(open: (opened: OpenResources) => Promise<T>): Promise<T> {
  const opened = new OpenResources()
  try {
    return await open(opened)
  } catch (error) {
    const suppressed = await opened.closeAll()
    if (suppressed.length > 0 && error instanceof Error) Object.assign(error, { suppressed })
    throw error
  }
}

/**
 * Makes closing safe to ask for at any moment: the work is done once. The first caller gets its outcome, later ones
 * only wait for its end, so that a failure is reported once.
 */
export function closeOnce(close: () => Promise<void>): () => Promise<void> {
  let closing: Promise<void> | undefined
  return () => {
    if (closing === undefined) {
      closing = close()
      return closing
    }
    return closing.catch(() => undefined)
  }
}
