import { VivariumError } from '../core/errors.ts'

/** What the server says instead of accepting. */
export interface SmtpReply {
  /** 400–499: try again later; 500–599: never. */
  readonly code: number
  readonly message: string
}

/** Ways in which a mail server refuses, by name. */
export type RejectionKind = 'mailbox-full' | 'mailbox-full-for-now' | 'greylisted' | 'unknown-recipient' | 'dropped'

/** Which mails are refused, and how often. */
export interface RejectMailOptions {
  /** Refuses this recipient, and not the mail as a whole. @default every mail */
  to?: string | RegExp
  /** How many times it is refused. @default 1 for `'greylisted'`, else always */
  times?: number
}

const replies: Readonly<Record<RejectionKind, SmtpReply>> = {
  'mailbox-full': { code: 552, message: '5.2.2 Mailbox full (vivarium: sandbox.mail.reject)' },
  'mailbox-full-for-now': { code: 452, message: '4.2.2 Mailbox full, try later (vivarium: sandbox.mail.reject)' },
  greylisted: { code: 451, message: '4.7.1 Greylisted, try again later (vivarium: sandbox.mail.reject)' },
  'unknown-recipient': { code: 550, message: '5.1.1 No such user here (vivarium: sandbox.mail.reject)' },
  dropped: { code: 421, message: '4.4.2 Connection dropped (vivarium: sandbox.mail.reject)' },
}

/** Where in a mail's way it is refused: the whole mail, one recipient, or by a connection that ends without an answer. */
export type RejectionPoint = 'sender' | 'recipient' | 'data'

/** One refusal that was asked for; counts how often it still holds. */
export class Rejection {
  readonly point: RejectionPoint
  readonly reply: SmtpReply
  readonly #to: string | RegExp | undefined
  #left: number

  constructor(kind: RejectionKind | SmtpReply, { to, times }: RejectMailOptions = {}) {
    const reply = typeof kind === 'string' ? replies[kind] : kind
    if (reply === undefined || !(reply.code >= 400 && reply.code <= 599)) {
      throw new VivariumError('CONFIG_INVALID', {
        what: 'sandbox.mail.reject() was asked for something that no mail server says.',
        seen: JSON.stringify(kind),
        remedy: `Give it one of ${Object.keys(replies).join(', ')}, or a reply of your own: { code: 554, message: '…' }.`,
      })
    }
    this.reply = reply
    this.point = kind === 'dropped' ? 'data' : to === undefined ? 'sender' : 'recipient'
    this.#to = to
    this.#left = times ?? (kind === 'greylisted' ? 1 : Number.POSITIVE_INFINITY)
  }

  /** Takes it once, if it holds at this point and for one of these recipients. */
  take(point: RejectionPoint, recipients: readonly string[]): boolean {
    if (this.point !== point || this.#left <= 0) return false
    if (this.#to !== undefined && !recipients.some((one) => this.#isFor(one))) return false
    this.#left--
    return true
  }

  #isFor(recipient: string): boolean {
    const to = this.#to
    if (typeof to === 'string') return to.toLowerCase() === recipient.toLowerCase()
    return to === undefined || recipient.search(to) >= 0
  }
}
