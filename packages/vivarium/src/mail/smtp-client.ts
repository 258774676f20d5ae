import { type Deadline, startDeadline } from '../core/clock.ts'
import { VivariumError } from '../core/errors.ts'
import type { Strike } from '../core/faults.ts'
import type { ObservedMail } from '../core/interactions.ts'
import type { Delivery, Mailbox, MailContent } from './mailbox.ts'
import type { SmtpReply } from './rejections.ts'

/** What a client asks of the server that it is connected to. */
export interface SmtpHost {
  /** Where a mail on the stable URL goes now, or why it goes nowhere. */
  stableMailbox(): Mailbox | SmtpReply
  /** The mailbox of these credentials, or why there is none; `undefined` for credentials that are not of ours. */
  pinnedMailbox(user: string, password: string | undefined): Mailbox | SmtpReply | undefined
}

/** What a client can do to its connection. */
export interface SmtpLine {
  /** Ends it in good order. */
  end(): void
  /** Ends it at once. */
  destroy(): void
}

/** Where one connection of a mail client stands. */
type ClientState =
  /** Nothing was sent on it yet: the sandbox in which it was made is not to close meanwhile. */
  | { readonly is: 'arriving'; readonly mailbox: Mailbox; readonly quiet: Deadline }
  | { readonly is: 'idle' }
  /** From MAIL FROM to the answer to the message. */
  | { readonly is: 'sending'; readonly mailbox: Mailbox; readonly delivery: Delivery }
  | { readonly is: 'closed' }

/** Milliseconds of silence after which a new connection is taken to be one that is kept for later. */
const quietMs = 50

/** One connection of a mail client: which sandbox its mails belong to, and what is answered. Speaks no SMTP itself. */
export class SmtpClient {
  readonly #host: SmtpHost
  readonly #line: SmtpLine
  readonly #madeIn: Mailbox | undefined
  #pinned: Mailbox | undefined
  #unpin: (() => void) | undefined
  #hasSent = false
  /** A fault withholds its answer: what forgets that. */
  #release: (() => void) | undefined
  #state: ClientState = { is: 'idle' }

  constructor(host: SmtpHost, line: SmtpLine, madeIn: Mailbox | undefined) {
    this.#host = host
    this.#line = line
    this.#madeIn = madeIn
    if (madeIn !== undefined) this.#enter({ is: 'arriving', mailbox: madeIn, quiet: this.#startQuiet() })
  }

  /** Something came from the client. */
  heard(): void {
    if (this.#state.is !== 'arriving') return
    this.#state.quiet.cancel()
    this.#state = { ...this.#state, quiet: this.#startQuiet() }
  }

  /** Credentials: those of a pinned URL choose the sandbox, all others are content. */
  logIn(user: string, password: string | undefined): SmtpReply | undefined {
    const mailbox = this.#host.pinnedMailbox(user, password)
    if (mailbox === undefined) return undefined
    if ('code' in mailbox) return mailbox
    this.#pinned = mailbox
    this.#unpin = mailbox.pin(() => this.#line.end())
    return undefined
  }

  mailFrom(from: string): SmtpReply | undefined {
    const mailbox = this.#mailboxFor(from)
    this.#hasSent = true
    if ('code' in mailbox) {
      this.#enter({ is: 'idle' })
      return mailbox
    }
    const delivery: Delivery = { from, abort: () => this.#line.destroy() }
    // Before the one that it arrives in is let go: it may be the same.
    mailbox.begin(delivery)
    this.#enter({ is: 'sending', mailbox, delivery })
    return mailbox.rejectionAt('sender', from, [])
  }

  recipient(to: string): SmtpReply | undefined {
    if (this.#state.is !== 'sending') return undefined
    const { mailbox, delivery } = this.#state
    return mailbox.rejectionAt('recipient', delivery.from, [to])
  }

  /** The whole message is here. Resolves to what is answered instead of accepting it, or to `'dropped'`. */
  async message(
    envelope: ObservedMail['envelope'],
    parse: () => Promise<MailContent>,
  ): Promise<SmtpReply | 'dropped' | undefined> {
    if (this.#state.is !== 'sending') return { code: 503, message: 'There is no mail to deliver' }
    const { mailbox } = this.#state
    if (mailbox.rejectionAt('data', envelope.from, envelope.to) !== undefined) {
      this.#line.destroy()
      return 'dropped'
    }
    try {
      const content = await parse()
      if (mailbox.owner.state === 'closed') return tooLate(mailbox, envelope.from)
      const strike = mailbox.strike(content)
      // Before the answer: once the application knows that the mail is sent, the test does.
      mailbox.deliver(content, strike?.injected)
      return strike === undefined ? undefined : this.#break(mailbox, strike)
    } catch (error) {
      mailbox.owner.fail(error)
      return { code: 451, message: `Vivarium could not take the mail: ${String(error)}` }
    }
  }

  /** What a fault has answered: a refusal, or nothing, and then the connection ends, or waits until its client gives up. */
  #break({ owner }: Mailbox, strike: Strike): SmtpReply | 'dropped' {
    if (strike.kind === 'fails') return replyOf(strike)
    const end = (): void => this.#line.destroy()
    if (strike.kind === 'losesConnection') end()
    else this.#release = owner.recorder.faults.hold(strike, end)
    return 'dropped'
  }

  /** The transaction is over, accepted or not. */
  reset(): void {
    if (this.#state.is === 'sending') this.#enter({ is: 'idle' })
  }

  closed(): void {
    this.#release?.()
    this.#unpin?.()
    this.#enter({ is: 'closed' })
  }

  #mailboxFor(from: string): Mailbox | SmtpReply {
    if (this.#pinned !== undefined)
      return this.#pinned.owner.state === 'closed' ? tooLate(this.#pinned, from) : this.#pinned
    // The first mail of a connection belongs where the connection was made: the next test's is not the one.
    if (!this.#hasSent && this.#madeIn?.owner.state === 'closed') return tooLate(this.#madeIn, from)
    return this.#host.stableMailbox()
  }

  /** The one place where its state changes. */
  #enter(next: ClientState): void {
    const before = this.#state
    if (before.is === 'closed') return
    this.#state = next
    if (before.is === 'arriving') {
      before.quiet.cancel()
      before.mailbox.arrived(this)
    }
    if (before.is === 'sending') before.mailbox.ended(before.delivery)
    if (next.is === 'arriving') next.mailbox.arrive(this)
  }

  #startQuiet(): Deadline {
    return startDeadline(quietMs, () => this.#enter({ is: 'idle' }))
  }
}

/** How a mail fails: what the server says of it. */
export type MailFailure = Partial<SmtpReply>

function replyOf({ failure, injected }: Strike): SmtpReply {
  const { code = 451, message = `4.3.0 The mail failed (a fault, set at ${injected.setAt})` } = (failure ??
    {}) as MailFailure
  return { code, message }
}

function tooLate({ owner }: Mailbox, from: string): SmtpReply {
  const what = `A mail from ${from || '<>'} came when sandbox "${owner.title}" had closed; it was refused.`
  owner.fail(
    new VivariumError('SANDBOX_CLOSED', {
      what,
      remedy: 'Await the sending before the test ends.',
    }),
  )
  return { code: 554, message: `${what} Await the sending before the test ends (SANDBOX_CLOSED)` }
}
