import { callSiteOf } from '../core/call-site.ts'
import { now, startDeadline } from '../core/clock.ts'
import { VivariumError } from '../core/errors.ts'
import type { Fault, FaultComponent, FaultOrder } from '../core/faults.ts'
import type { FaultKind, FaultMoment } from '../core/injected-fault.ts'
import { currentSandbox, runInSandbox } from './current-sandbox.ts'
import { type FaultRunReport, FaultReport } from './fault-report.ts'
import { closingFailures, type ComposedSandbox } from './sandbox.ts'
import { placesOf, type Place } from './fault-places.ts'

/** What is done to each interaction: how it breaks, and whether it took effect. */
export type FaultChoice =
  | 'fails'
  | 'timesOut before'
  | 'timesOut after'
  | 'losesConnection before'
  | 'losesConnection after'

/** How the work under test ended. */
export type FaultOutcome<Result> =
  | { readonly ok: true; readonly value: Result }
  | { readonly ok: false; readonly error: unknown }

/** What is to be checked of one run. */
export interface FaultRun<Given, Result> {
  readonly given: Given
  readonly outcome: FaultOutcome<Result>
  /** What was broken: `the 4th statement, insert into payments …, lost its connection after it took effect`; `undefined` in the first run. */
  readonly fault: string | undefined
}

/** Options of {@link everyFault}. */
export interface EveryFaultOptions<Given, Result> {
  /** Makes what the work starts from, anew for each run. Nothing is broken meanwhile. */
  readonly given?: () => Given | Promise<Given>
  /** The work under test. What crosses while it runs is broken, one after the other. */
  readonly when: (given: Given) => Result | Promise<Result>
  /** Checks what must hold whatever was broken, the first time with nothing broken; throws where it does not. */
  readonly holds: (run: FaultRun<Given, Result>) => unknown
  /** @default `['fails', 'losesConnection before', 'losesConnection after']` */
  readonly kinds?: readonly FaultChoice[]
  /** @default all that the work uses */
  readonly components?: readonly FaultComponent[]
  /** Milliseconds that the work may take in each run. @default 5000 */
  readonly within?: number
  /** What becomes of a fault that its run did not reach, since the work took another course. @default 'fail' */
  readonly notReached?: 'fail' | 'report'
}

const usualKinds: readonly FaultChoice[] = ['fails', 'losesConnection before', 'losesConnection after']

/** Milliseconds that work which did not end in time has to do so once nothing is withheld any more. */
const afterwardsMs = 1000

/**
 * Every step failing in turn: runs `when` once to learn what crosses, then once for each of that and each kind of fault, with that one
 * broken, and checks with `holds` that what must hold does. Each run is in a sandbox within the current one, so each begins with the same
 * state. Rejects with `FAULT_NOT_SURVIVED`, which lists every run in which something broke: `holds` threw, the work did not end, or it left
 * something open.
 *
 * @example
 * ```ts
 * import { expect, test } from 'vitest'
 * import { everyFault } from 'vivarium'
 *
 * const shop = {
 *   order: async (_item: string) => {},
 *   counts: async () => ({ orders: 0, payments: 0 }),
 * }
 *
 * test('no order without its payment, whatever breaks', async () => {
 *   const report = await everyFault({
 *     when: () => shop.order('book'),
 *     holds: async () => {
 *       const { orders, payments } = await shop.counts()
 *       expect(orders).toBe(payments)
 *     },
 *   })
 *   console.log(String(report))
 * })
 * ```
 */
export async function everyFault<Given = undefined, Result = unknown>(
  options: EveryFaultOptions<Given, Result>,
): Promise<FaultReport> {
  const { kinds = usualKinds, components, notReached = 'fail' } = options
  const test = currentSandbox() as ComposedSandbox
  const sweep = new Sweep(test, options, callSiteOf(everyFault))
  const places = (await sweep.learn()).filter(({ component }) => components?.includes(component) ?? true)
  if (places.length === 0) {
    throw new VivariumError('CONFIG_INVALID', {
      what: 'everyFault() found nothing to break: nothing crossed while `when` ran.',
      seen: components === undefined ? undefined : `looked for ${components.join(', ')}`,
      remedy: 'Let `when` do the work (not `given`), and await it.',
    })
  }
  const runs: FaultRunReport[] = []
  for (const place of places) for (const kind of kinds) runs.push(await sweep.run(place, kind))
  const report = new FaultReport(places.length, runs)
  const findings = runs.filter(
    ({ became }) => became === 'broke' || (notReached === 'fail' && became === 'not reached'),
  )
  if (findings.length > 0) throw report.failure(findings)
  return report
}

/** One block of work, run again and again from the same state. */
class Sweep<Given, Result> {
  readonly #test: ComposedSandbox
  readonly #options: EveryFaultOptions<Given, Result>
  readonly #place: FaultOrder['place']

  constructor(test: ComposedSandbox, options: EveryFaultOptions<Given, Result>, place: FaultOrder['place']) {
    this.#test = test
    this.#options = options
    this.#place = place
  }

  /** Runs it with nothing broken: what can be. */
  async learn(): Promise<readonly Place[]> {
    let places: readonly Place[] = []
    const { failures } = await this.#inSandbox('nothing broken', async (sandbox) => {
      const { given } = this.#options
      const made = (await given?.()) as Given
      const from = sandbox.recorder.interactions.length
      const outcome = await this.#work(made)
      if (outcome === 'late') throw this.#late()
      places = placesOf(sandbox.recorder.since(from))
      await this.#options.holds({ given: made, outcome, fault: undefined })
    })
    if (failures.length === 0) return places
    if (failures.length === 1) throw failures[0]
    throw new AggregateError(failures, 'everyFault: the work failed with nothing broken')
  }

  async run(place: Place, choice: FaultChoice): Promise<FaultRunReport> {
    const [kind, moment = 'before'] = choice.split(' ') as [FaultKind, FaultMoment | undefined]
    const what = place.broken(kind, moment)
    const startedAt = now()
    let outcome: FaultOutcome<Result> | 'late' | undefined
    let fault: Fault | undefined
    const { failures } = await this.#inSandbox(what, async (sandbox) => {
      const { given, holds } = this.#options
      const { faults } = sandbox.recorder
      const made = (await given?.()) as Given
      fault = faults.add({ ...place, kind, moment, failure: undefined, place: this.#place } as FaultOrder)
      outcome = await this.#work(made, () => void faults.endHeld())
      faults.withdraw(fault)
      if (outcome === 'late') throw this.#late()
      if (fault.struck > 0) await holds({ given: made, outcome, fault: what })
    })
    const durationMs = now() - startedAt
    const findings = failures.filter((failure) => !isOnlyMissing(failure))
    const isReached = fault === undefined || fault.struck > 0
    const became = findings.length > 0 ? 'broke' : isReached ? 'survived' : 'not reached'
    return {
      what,
      component: place.component,
      kind,
      moment,
      became,
      outcome: inWords(outcome),
      failures: findings,
      durationMs,
    }
  }

  /** The outcome, or `'late'`: then whoever waits for an answer is told that there is none, and has a moment to end. */
  async #work(made: Given, release?: () => void): Promise<FaultOutcome<Result> | 'late'> {
    const { when, within = 5000 } = this.#options
    const outcome = outcomeOf(when, made)
    const inTime = await orLate(outcome, within)
    if (inTime !== 'late') return inTime
    release?.()
    await orLate(outcome, afterwardsMs)
    return 'late'
  }

  #late(): Error {
    const { within = 5000 } = this.#options
    return new Error(
      `The work did not end within ${within} ms: give what waits there a deadline, or let it end otherwise.`,
    )
  }

  async #inSandbox(
    what: string,
    work: (sandbox: ComposedSandbox) => Promise<void>,
  ): Promise<{ readonly failures: readonly unknown[] }> {
    const sandbox = await this.#test.openWithin(`${this.#test.title}: ${what}`)
    const failures: unknown[] = []
    await runInSandbox(sandbox, () => work(sandbox)).catch((error: unknown) => failures.push(error))
    failures.push(...(await closingFailures(sandbox)))
    return { failures }
  }
}

async function outcomeOf<Given, Result>(
  when: (given: Given) => Result | Promise<Result>,
  given: Given,
): Promise<FaultOutcome<Result>> {
  try {
    return { ok: true, value: await when(given) }
  } catch (error) {
    return { ok: false, error }
  }
}

/** What a promise that never rejects resolves to, unless that takes longer. */
function orLate<T>(promise: Promise<T>, ms: number): Promise<T | 'late'> {
  return new Promise((resolve) => {
    const deadline = startDeadline(ms, () => resolve('late'))
    void promise.then((value) => {
      deadline.cancel()
      resolve(value)
    })
  })
}

/** Where a step fails, what was expected to come behind it rightly does not. */
function isOnlyMissing(failure: unknown): boolean {
  return (
    failure instanceof VivariumError &&
    (failure.code === 'MOCK_CALL_MISSING' || failure.code === 'HTTP_REQUEST_MISSING')
  )
}

function inWords(outcome: FaultOutcome<unknown> | 'late' | undefined): string {
  if (outcome === undefined) return 'never began'
  if (outcome === 'late') return 'did not end'
  if (outcome.ok) return 'resolved'
  const { error } = outcome
  return `rejected: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`
}
