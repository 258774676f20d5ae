import { createTransport } from 'nodemailer'
import type { Mailer } from './mailer.ts'

export interface SmtpMailerOptions {
  /** `smtp://user:password@host:587` */
  readonly url: string
  /** Who the mails are from. */
  readonly from: string
}

export interface SmtpMailer extends Mailer {
  /** Rejects when the mail service cannot be reached, or refuses to talk to us. */
  check(): Promise<void>
  close(): void
}

/** Sends by SMTP, over a few connections that are kept. */
export function createSmtpMailer({ url, from }: SmtpMailerOptions): SmtpMailer {
  const transport = createTransport({ pool: true, url })
  return {
    async send({ to, subject, text }) {
      await transport.sendMail({ from, to, subject, text })
    },
    check: async () => void (await transport.verify()),
    close: () => transport.close(),
  }
}
