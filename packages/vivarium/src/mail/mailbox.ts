import { randomBytes } from 'node:crypto'
import { startWait } from '../core/awaited.ts'
import { withDeadline } from '../core/clock.ts'
import { VivariumError } from '../core/errors.ts'
import { type Interaction, mailsIn, type ObservedMail } from '../core/interactions.ts'
import type { FaultedMail } from '../core/fault-crossings.ts'
import type { Strike } from '../core/faults.ts'
import type { InjectedFault } from '../core/injected-fault.ts'
import type { SandboxOwner, SandboxPart } from '../core/owner.ts'
import type { MailExpectation } from './mail-pattern.ts'
import { printShort } from '../core/print-value.ts'
import { checkExpectation } from './match-mail.ts'
import {
  Rejection,
  type RejectionKind,
  type RejectionPoint,
  type RejectMailOptions,
  type SmtpReply,
} from './rejections.ts'
import { watchRollbacks } from './rolled-back.ts'
import { findSentMail, renderSentMail } from './sent-mail.ts'

/** What a message says, without when it came. */
export type MailContent = FaultedMail

/** How long an awaited mail is awaited. */
export interface ReceivedOptions {
  /** Milliseconds. @default 1000 */
  within?: number
}

/** A sandbox's part in mail. */
export interface SandboxMail {
  /** URL pinned to this sandbox by its credentials, for concurrent tests and other processes. */
  readonly url: string
  /** The server's self-signed certificate, PEM: for a client that uses STARTTLS, `tls: { ca }`. */
  readonly certificate: string
  /**
   * Resolves to the first mail of this sandbox that matches, at once when it is there already. Rejects with `MAIL_NOT_RECEIVED`,
   * which lists what was sent and why each did not match.
   *
   * @example
   * ```ts
   * import { currentSandbox } from 'vivarium'
   *
   * const mail = await currentSandbox().mail.received({ to: 'ada@example.com' }, { within: 2000 })
   * console.log(mail.links)
   * ```
   */
  received(expected?: MailExpectation, options?: ReceivedOptions): Promise<ObservedMail>
  /**
   * From now on the server refuses what is sent, or what is sent to `to`. Asked for in `beforeAll`, it holds for the tests of the file;
   * a test's own comes first.
   *
   * @example
   * ```ts
   * import { currentSandbox } from 'vivarium'
   *
   * currentSandbox().mail.reject('greylisted')
   * currentSandbox().mail.reject('mailbox-full', { to: 'ada@example.com', times: 2 })
   * currentSandbox().mail.reject({ code: 554, message: 'Not today' })
   * ```
   */
  reject(kind: RejectionKind | SmtpReply, options?: RejectMailOptions): void
}

/** What a mailbox needs of the server. */
export interface MailboxServer {
  readonly certificate: string
  urlFor(user: string, password: string): string
}

/** One mail on its way in, from MAIL FROM to the server's answer. */
export interface Delivery {
  readonly from: string
  /** Ends its connection. */
  readonly abort: () => void
}

/** Something that ends when its mailbox does: a connection pinned to it. */
type Closing = () => void

const settleMs = 2000

/** The mail of one sandbox. */
export class Mailbox implements SandboxPart, SandboxMail {
  readonly owner: SandboxOwner
  readonly user: string
  readonly password: string = randomBytes(12).toString('base64url')
  readonly #server: MailboxServer
  readonly rejections: Rejection[] = []
  readonly #refused: string[] = []
  readonly #deliveries: Set<Delivery> = new Set()
  /** Connections that were made while it was current and have not sent anything yet. */
  readonly #arriving: Set<object> = new Set()
  readonly #pinned: Set<Closing> = new Set()
  readonly #waiting: Set<() => void> = new Set()
  readonly #onClosed: (mailbox: Mailbox) => void
  #onQuiet: (() => void) | undefined
  #stopWatching: (() => void) | undefined

  constructor(owner: SandboxOwner, number: number, server: MailboxServer, onClosed: (mailbox: Mailbox) => void) {
    this.owner = owner
    this.user = `vivarium-sandbox-${number}`
    this.#server = server
    this.#onClosed = onClosed
  }

  get url(): string {
    return this.#server.urlFor(this.user, this.password)
  }

  get certificate(): string {
    return this.#server.certificate
  }

  async received(expected?: MailExpectation, { within = 1000 }: ReceivedOptions = {}): Promise<ObservedMail> {
    this.owner.assertOpen('await a mail')
    checkExpectation(expected, 'mail.received()')
    const { recorder } = this.owner
    const wait = startWait({
      within,
      look: () => findSentMail(this.#mails, expected).matching[0],
      late: () => {
        throw this.#notReceived(expected, `within ${within} ms`)
      },
      follow: (changed) => recorder.follow(({ component }) => component === 'mail' && changed()),
    })
    const closed = (): void =>
      wait.end(() => {
        throw this.#notReceived(expected, 'before its sandbox closed')
      })
    this.#waiting.add(closed)
    return wait.outcome.finally(() => this.#waiting.delete(closed))
  }

  reject(kind: RejectionKind | SmtpReply, options?: RejectMailOptions): void {
    this.owner.assertOpen('reject mails')
    this.rejections.push(new Rejection(kind, options))
  }

  /** What is answered instead of accepting at this point, if anything: asked for here, or in a sandbox around. */
  rejectionAt(point: RejectionPoint, from: string, recipients: readonly string[]): SmtpReply | undefined {
    for (let owner: SandboxOwner | undefined = this.owner; owner !== undefined; owner = owner.around) {
      const rejections: readonly Rejection[] = owner.knownPart<Mailbox>('mail')?.rejections ?? []
      const taken = rejections.find((rejection) => rejection.take(point, recipients))
      if (taken === undefined) continue
      const to = recipients.length === 0 ? '' : ` to ${recipients.join(', ')}`
      this.#refused.push(`from ${from}${to}: ${taken.reply.code} ${taken.reply.message}`)
      return taken.reply
    }
    return undefined
  }

  /** Keeps the sandbox from closing until `ended`, for a while. */
  begin(delivery: Delivery): void {
    this.#deliveries.add(delivery)
  }

  ended(delivery: Delivery): void {
    this.#deliveries.delete(delivery)
    this.#tellQuiet()
  }

  arrive(connection: object): void {
    this.#arriving.add(connection)
  }

  arrived(connection: object): void {
    this.#arriving.delete(connection)
    this.#tellQuiet()
  }

  /** `close` is called when the sandbox closes, unless the returned function was called before. */
  pin(close: Closing): () => void {
    this.#pinned.add(close)
    return () => void this.#pinned.delete(close)
  }

  /** The fault that is due for a mail that is here as a whole. */
  strike(content: MailContent): Strike | undefined {
    const { faults } = this.owner.recorder
    if (!faults.awaits('mail')) return undefined
    const to = content.envelope.to.join(', ')
    return faults.strike('mail', content, () => `a mail to ${to}: ${printShort(content.subject, 40)}`)
  }

  deliver(content: MailContent, fault?: InjectedFault): void {
    const { owner } = this
    this.#stopWatching ??= watchRollbacks(owner.recorder)
    owner.recorder.record({ component: 'mail', ...content, fault, at: owner.elapsed() } satisfies Interaction)
  }

  async settle(): Promise<void> {
    if (this.#deliveries.size + this.#arriving.size === 0) return
    const late = (): VivariumError => this.#stillSending()
    try {
      await withDeadline(this.#quiet(), settleMs, late)
    } catch (error) {
      if (this.#deliveries.size > 0) this.owner.recorder.fail(error)
      for (const delivery of this.#deliveries) delivery.abort()
    }
  }

  verify(): readonly unknown[] {
    this.#stopWatching?.()
    for (const closed of this.#waiting) closed()
    for (const close of this.#pinned) close()
    this.#onClosed(this)
    return []
  }

  get #mails(): readonly ObservedMail[] {
    return mailsIn(this.owner.recorder.interactions)
  }

  /** Resolves when nothing is on its way. */
  #quiet(): Promise<void> {
    return new Promise((resolve) => {
      this.#onQuiet = resolve
      this.#tellQuiet()
    })
  }

  #tellQuiet(): void {
    if (this.#deliveries.size + this.#arriving.size === 0) this.#onQuiet?.()
  }

  #stillSending(): VivariumError {
    const senders = [...this.#deliveries].map(({ from }) => `a mail from ${from || '<>'}`)
    return new VivariumError('MAIL_STILL_SENDING', {
      what: `A mail was still being sent when sandbox "${this.owner.title}" closed, and did not end within ${settleMs} ms.`,
      seen: senders.join(', '),
      remedy: 'Await the sending before the test ends. Its connection was ended.',
    })
  }

  #notReceived(expected: MailExpectation | undefined, when: string): VivariumError {
    const refused = this.#refused.length === 0 ? '' : `\nRefused on demand:\n  ${this.#refused.join('\n  ')}`
    return new VivariumError('MAIL_NOT_RECEIVED', {
      what: renderSentMail(`No mail matched ${when}.`, findSentMail(this.#mails, expected)) + refused,
      remedy: 'Compare what is wanted with what was sent; or wait longer: `received(expected, { within: 5000 })`.',
    })
  }
}
