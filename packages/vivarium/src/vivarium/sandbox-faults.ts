import { callSiteOf } from '../core/call-site.ts'
import type { FaultedStatement } from '../core/fault-crossings.ts'
import type { Fault, FaultComponent, FaultOrder } from '../core/faults.ts'
import type { FaultKind, FaultMoment } from '../core/injected-fault.ts'
import { refuseUnknownKeys, countAt } from '../core/options.ts'
import type { SandboxOwner } from '../core/owner.ts'
import { printShort } from '../core/print-value.ts'
import type { QueryFailure } from '../postgres/gateway/fault-failure.ts'

/** What is done to what a fault is for. */
export interface FaultPoint<Failure> {
  /** The component answers with an error of its own; it does not take effect. */
  fails(failure?: Failure): Fault
  /**
   * There is no answer until the client gives up. When the sandbox closes first, it is ended, and that fails the test.
   * `'after'`: it took effect all the same.
   *
   * @param moment default `'before'`
   */
  timesOut(moment?: FaultMoment): Fault
  /**
   * The connection ends without an answer. `'before'`: what was sent never arrived; `'after'`: it took effect, and the client never
   * hears of it.
   *
   * @param moment default `'before'`
   */
  losesConnection(moment?: FaultMoment): Fault
}

/** Which of the matching ones is broken. */
export interface FaultCount {
  /** The n-th from now, from 1. @default 1 */
  readonly nth?: number
}

/** Statements by their text: the words it begins with, in any case and spacing, or a regular expression. */
export interface QueryMatch extends FaultCount {
  readonly text?: string | RegExp
  /** What its parameters must be, as `params` of an observed query. */
  readonly where?: (statement: FaultedStatement) => boolean
}

/** Faults by what they break. */
export interface SandboxFaults {
  /**
   * A statement of Postgres; BEGIN, COMMIT and ROLLBACK are statements as well, and a prepared one is known by its text. In a
   * transaction that has failed only what ends it counts.
   *
   * @example
   * ```ts
   * import { currentSandbox } from 'vivarium'
   *
   * currentSandbox().fault.query(/insert into payments/i).fails({ code: '23514', message: 'no such card' })
   * currentSandbox().fault.query({ nth: 3 }).losesConnection('before')
   * currentSandbox().fault.query('COMMIT').losesConnection('after')
   * ```
   */
  query(match?: string | RegExp | QueryMatch): FaultPoint<QueryFailure>
}

/** One sandbox's faults, in the words of a test. */
export class FaultPoints implements SandboxFaults {
  readonly #owner: SandboxOwner

  constructor(owner: SandboxOwner) {
    this.#owner = owner
  }

  query(match: string | RegExp | QueryMatch = {}): FaultPoint<QueryFailure> {
    const { text, where, nth } = asObject(match, 'text', ['text', 'where', 'nth'])
    return this.#point('postgres', 'query', match, nth, (statement: FaultedStatement) => {
      return (text === undefined || matchesStart(statement.text, text)) && (where === undefined || where(statement))
    })
  }

  #point<Crossing, Failure>(
    component: FaultComponent,
    name: string,
    match: unknown,
    nth: number | undefined,
    matches: (crossing: Crossing) => boolean,
  ): FaultPoint<Failure> {
    const subject = `${name}(${isEmpty(match) ? '' : printShort(match, 80)})`
    countAt(nth, `${name}({ nth })`, 'a fault', 1)
    const set = (
      kind: FaultKind,
      moment: FaultMoment,
      failure: unknown,
      called: (...args: never[]) => Fault,
    ): Fault => {
      this.#owner.assertOpen(`set the fault ${subject}`)
      const order: FaultOrder<Crossing> = {
        component,
        subject,
        matches,
        nth: nth ?? 1,
        kind,
        moment,
        failure,
        place: callSiteOf(called),
      }
      return this.#owner.recorder.faults.add(order as FaultOrder)
    }
    const point: FaultPoint<Failure> = {
      fails: (failure) => set('fails', 'before', failure, point.fails),
      timesOut: (moment = 'before') => set('timesOut', moment, undefined, point.timesOut),
      losesConnection: (moment = 'before') => set('losesConnection', moment, undefined, point.losesConnection),
    }
    return point
  }
}

/** A text or a regular expression stands for an object with it under `key`. */
function asObject<T extends object>(match: string | RegExp | T, key: keyof T & string, known: readonly string[]): T {
  if (typeof match === 'string' || match instanceof RegExp) return { [key]: match } as T
  refuseUnknownKeys(match, known, '', 'a fault')
  return match
}

function isEmpty(match: unknown): boolean {
  return typeof match === 'object' && match !== null && !(match instanceof RegExp) && Object.keys(match).length === 0
}

/** The words that a statement begins with; or anything in it, by a regular expression. */
function matchesStart(text: string, wanted: string | RegExp): boolean {
  if (typeof wanted !== 'string') return text.search(wanted) >= 0
  const start = inWords(wanted)
  const whole = inWords(text)
  // Not `insert into order` for `insert into order_items`.
  return whole.startsWith(start) && !(/\w$/.test(start) && /^\w/.test(whole.slice(start.length)))
}

function inWords(text: string): string {
  return text.trim().replace(/;$/, '').replaceAll(/\s+/g, ' ').toLowerCase()
}
