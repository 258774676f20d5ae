import { callSiteOf } from '../core/call-site.ts'
import type {
  FaultedCall,
  FaultedCommand,
  FaultedMail,
  FaultedRequest,
  FaultedStatement,
} from '../core/fault-crossings.ts'
import type { Fault, FaultComponent, FaultOrder } from '../core/faults.ts'
import type { FaultKind, FaultMoment } from '../core/injected-fault.ts'
import { refuseUnknownKeys, countAt } from '../core/options.ts'
import type { SandboxOwner } from '../core/owner.ts'
import { printShort } from '../core/print-value.ts'
import type { RequestFailure } from '../http/break-request.ts'
import type { MailPattern } from '../mail/mail-pattern.ts'
import { checkExpectation, mismatchesOf } from '../mail/match-mail.ts'
import type { MailFailure } from '../mail/smtp-client.ts'
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

/** Redis commands: by their name, as `SET` or `XGROUP CREATE`, or a regular expression. */
export interface CommandMatch extends FaultCount {
  readonly command?: string | RegExp
  /** One of the keys that it names, as the application names it. */
  readonly key?: string | RegExp
  readonly where?: (command: FaultedCommand) => boolean
}

/** Requests: by a method and a path or URL, `POST /v1/charges`, or a regular expression for `POST https://api.stripe.com/v1/charges`. */
export interface RequestMatch extends FaultCount {
  readonly request?: string | RegExp
  /** The service's name, as `defineService` was given it. */
  readonly service?: string
  readonly where?: (request: FaultedRequest) => boolean
}

/** Mails, as `toHaveSentMail` takes them. */
export type MailMatch = MailPattern & FaultCount

/** Calls of doubles: `PaymentGateway.charge`, or a regular expression. */
export interface CallMatch extends FaultCount {
  readonly call?: string | RegExp
  readonly where?: (call: FaultedCall) => boolean
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
  /**
   * A Redis command, MULTI and EXEC as well. It fails with an error reply (`'ERR …'`); a command that fails inside MULTI lets EXEC fail.
   *
   * @example
   * ```ts
   * import { currentSandbox } from 'vivarium'
   *
   * currentSandbox().fault.command('SET').timesOut()
   * currentSandbox().fault.command({ key: 'user:17:profile' }).fails('OOM command not allowed when used memory > maxmemory')
   * ```
   */
  command(match?: string | RegExp | CommandMatch): FaultPoint<string>
  /**
   * A request to an HTTP service. It fails with a status, 500 unless another one is given; lost, the connection is reset. `'after'`: what
   * the test has said about the service answers, and the application does not hear of it.
   *
   * @example
   * ```ts
   * import { currentSandbox } from 'vivarium'
   *
   * currentSandbox().fault.request('POST /v1/charges').losesConnection('after')
   * currentSandbox().fault.request({ service: 'Stripe', nth: 2 }).fails({ status: 503 })
   * ```
   */
  request(match?: string | RegExp | RequestMatch): FaultPoint<RequestFailure>
  /**
   * A mail, when it is here as a whole. It fails with an SMTP reply, 451 unless another one is given. One that was kept from arriving
   * is among the `interactions`, not among the `mails`. A server that refuses before that, by a name: `sandbox.mail.reject`.
   *
   * @example
   * ```ts
   * import { currentSandbox } from 'vivarium'
   *
   * currentSandbox().fault.mail({ to: 'ada@example.com' }).losesConnection('after')
   * ```
   */
  mail(match?: MailMatch): FaultPoint<MailFailure>
  /**
   * A call of a double. It throws what it is given, or rejects with it where its answer is an async function; lost, the error has the code
   * `ECONNRESET`. A call that is kept from arriving meets no expectation.
   *
   * @example
   * ```ts
   * import { currentSandbox } from 'vivarium'
   *
   * currentSandbox().fault.call('PaymentGateway.charge').fails(new Error('card network down'))
   * ```
   */
  call(match?: string | RegExp | CallMatch): FaultPoint<unknown>
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

  command(match: string | RegExp | CommandMatch = {}): FaultPoint<string> {
    const { command, key, where, nth } = asObject(match, 'command', ['command', 'key', 'where', 'nth'])
    return this.#point('redis', 'command', match, nth, (crossing: FaultedCommand) => {
      const isNamed = command === undefined || matchesWhole(crossing.command, command)
      const hasKey =
        key === undefined || crossing.keys.some((one) => (typeof key === 'string' ? one === key : one.search(key) >= 0))
      return isNamed && hasKey && (where === undefined || where(crossing))
    })
  }

  request(match: string | RegExp | RequestMatch = {}): FaultPoint<RequestFailure> {
    const { request, service, where, nth } = asObject(match, 'request', ['request', 'service', 'where', 'nth'])
    return this.#point('http', 'request', match, nth, (crossing: FaultedRequest) => {
      const isAsked = request === undefined || matchesRequest(crossing, request)
      return (
        isAsked && (service === undefined || service === crossing.service) && (where === undefined || where(crossing))
      )
    })
  }

  mail(match: MailMatch = {}): FaultPoint<MailFailure> {
    const { nth, ...expected } = match
    checkExpectation(expected, 'fault.mail()')
    return this.#point('mail', 'mail', match, nth, (crossing: FaultedMail) => {
      return mismatchesOf({ component: 'mail', at: 0, ...crossing }, expected).length === 0
    })
  }

  call(match: string | RegExp | CallMatch = {}): FaultPoint<unknown> {
    const { call, where, nth } = asObject(match, 'call', ['call', 'where', 'nth'])
    return this.#point('mock', 'call', match, nth, (crossing: FaultedCall) => {
      return (
        (call === undefined || matchesWhole(`${crossing.mock}.${crossing.fn}`, call)) &&
        (where === undefined || where(crossing))
      )
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

function matchesWhole(text: string, wanted: string | RegExp): boolean {
  return typeof wanted === 'string' ? text.toLowerCase() === wanted.toLowerCase() : text.search(wanted) >= 0
}

/** A method, and a path without its query or a whole URL. */
function matchesRequest({ method, url }: FaultedRequest, wanted: string | RegExp): boolean {
  if (typeof wanted !== 'string') return `${method} ${url}`.search(wanted) >= 0
  return wanted === `${method} ${url}` || wanted === `${method} ${new URL(url).pathname}`
}

function inWords(text: string): string {
  return text.trim().replace(/;$/, '').replaceAll(/\s+/g, ' ').toLowerCase()
}
