import { now, realClearTimeout, realSetTimeout, startDeadline } from '../core/clock.ts'
import { count } from '../core/count.ts'
import { listInteractions } from '../core/describe-interaction.ts'
import { VivariumError } from '../core/errors.ts'
import { millisecondsAt, refuseUnknownKeys } from '../core/options.ts'
import { findOwner, type SandboxOwner } from '../core/owner.ts'
import { printValue } from '../core/print-value.ts'
import { indentText } from '../core/wrap-text.ts'

/** How a condition is awaited. */
export interface EventuallyOptions<T = unknown> {
  /** Milliseconds that it has, with the event loop running. @default 1000 */
  within?: number
  /** Whether a value is the one that is awaited. @default every value but `false` */
  until?: (value: T) => boolean
  /** Milliseconds between the first attempt and the second; each further pause is twice as long. @default 1 */
  pauseMs?: number
  /** Milliseconds that a pause has at most. @default 50 */
  longestPauseMs?: number
}

/** How one attempt went. */
type Attempt<T> =
  | { readonly ended: 'met'; readonly value: T }
  | { readonly ended: 'returned'; readonly value: T }
  | { readonly ended: 'threw'; readonly error: unknown }

const optionNames = ['within', 'until', 'pauseMs', 'longestPauseMs']
const source = 'eventually()'

/**
 * Calls `fn` again and again until it neither throws nor returns `false` (or until `until` says so of its value), and resolves to what it
 * returned. Rejects with `CONDITION_NOT_MET` after `within` milliseconds: with what the last attempt came to, and what crossed between the
 * application and its components meanwhile. An attempt that does not end is not waited for any longer, either.
 *
 * For what nothing announces. A mail, a request, a call of a double and a message can be awaited themselves, without asking again and again.
 *
 * @example
 * ```ts
 * import { Pool } from 'pg'
 * import { expect } from 'vitest'
 * import { eventually } from 'vivarium'
 *
 * const pool = new Pool({ connectionString: process.env['DATABASE_URL'] })
 *
 * await eventually(async () => {
 *   const { rows } = await pool.query('select status from orders where id = 17')
 *   expect(rows).toEqual([{ status: 'sent' }])
 * }, { within: 2000 })
 * ```
 */
export async function eventually<T>(
  fn: () => T | Promise<T>,
  options: EventuallyOptions<Awaited<T>> = {},
): Promise<Exclude<Awaited<T>, false>> {
  const { within, until, pauses } = checkOptions(options)
  const report = new Report(within)
  let expire!: (expired: 'expired') => void
  const expired = new Promise<'expired'>((resolve) => (expire = resolve))
  const deadline = startDeadline(within, () => expire('expired'))
  try {
    for (const pauseMs of pauses) {
      report.begin()
      const attempt = await Promise.race([tryOnce(fn, until), expired])
      if (attempt === 'expired') throw report.hung()
      if (attempt.ended === 'met') return attempt.value as Exclude<Awaited<T>, false>
      report.last = attempt
      if ((await pause(pauseMs, expired)) === 'expired') throw report.notMet()
    }
    throw report.notMet()
  } finally {
    deadline.cancel()
  }
}

async function tryOnce<T>(
  fn: () => T | Promise<T>,
  until: (value: Awaited<T>) => boolean,
): Promise<Attempt<Awaited<T>>> {
  try {
    const value = await fn()
    return { ended: until(value) ? 'met' : 'returned', value }
  } catch (error) {
    return { ended: 'threw', error }
  }
}

/** Ends early when the time is over. */
async function pause(ms: number, expired: Promise<'expired'>): Promise<'expired' | undefined> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<undefined>((resolve) => (timer = realSetTimeout(() => resolve(undefined), ms)))
  try {
    return await Promise.race([over, expired])
  } finally {
    realClearTimeout(timer)
  }
}

function checkOptions<T>(options: EventuallyOptions<T>): {
  within: number
  until: (value: T) => boolean
  pauses: Iterable<number>
} {
  refuseUnknownKeys(options, optionNames, '', source)
  const first = millisecondsAt(options.pauseMs, 'pauseMs', source) ?? 1
  const longest = millisecondsAt(options.longestPauseMs, 'longestPauseMs', source) ?? 50
  return {
    within: millisecondsAt(options.within, 'within', source) ?? 1000,
    until: options.until ?? ((value) => value !== false),
    pauses: growing(first, longest),
  }
}

function* growing(first: number, longest: number): Generator<number> {
  for (let ms = first; ; ms *= 2) yield Math.min(ms, longest)
}

/** What is told when the condition was not met. */
class Report {
  last: Attempt<unknown> | undefined
  readonly #within: number
  readonly #owner: SandboxOwner | undefined = findOwner()
  readonly #from: number
  readonly #startedAt: number
  #attempts = 0
  #attemptAt = 0

  constructor(within: number) {
    this.#within = within
    this.#from = this.#owner?.recorder.interactions.length ?? 0
    this.#startedAt = this.#owner?.elapsed() ?? 0
  }

  begin(): void {
    this.#attempts++
    this.#attemptAt = now()
  }

  notMet(): VivariumError {
    return this.#error(
      `The condition was not met within ${this.#within} ms: ${count(this.#attempts, 'attempt')}.`,
      this.#sayLast('The last one'),
    )
  }

  hung(): VivariumError {
    const running = Math.round(now() - this.#attemptAt)
    const headline = `The condition was not met within ${this.#within} ms: attempt ${this.#attempts} did not end in ${running} ms.`
    return this.#error(headline, this.#attempts === 1 ? [] : this.#sayLast('The one before it'))
  }

  #error(headline: string, lines: readonly string[]): VivariumError {
    return new VivariumError('CONDITION_NOT_MET', {
      what: [headline, ...lines, ...this.#meanwhile()].join('\n'),
      remedy: 'Look what did not happen; or give it longer: `eventually(…, { within: 5000 })`.',
      cause: this.last?.ended === 'threw' ? this.last.error : undefined,
    })
  }

  #sayLast(which: string): readonly string[] {
    const { last } = this
    if (last?.ended !== 'threw') return [`${which} returned:`, indentText(printValue(last?.value, 76), '  ')]
    const { error } = last
    const words = error instanceof Error ? `${error.name}: ${error.message}` : printValue(error, 76)
    return [`${which} threw:`, indentText(words.split('\n').slice(0, 20).join('\n'), '  ')]
  }

  #meanwhile(): readonly string[] {
    if (this.#owner === undefined) return []
    const interactions = this.#owner.recorder.since(this.#from)
    if (interactions.length === 0) return ['Meanwhile nothing crossed between the application and its components.']
    const lines = listInteractions(interactions, { from: this.#startedAt, columns: 78 })
    return ['Meanwhile:', ...lines.map((line) => `  ${line}`)]
  }
}
