import { createTransport } from 'nodemailer'
import type { Mailer } from './mailer.ts'

export interface SmtpMailerOptions {
  /** `smtp://user:password@host:587` */
  readonly url: string
  /** Who the mails are from. */
  readonly from: string
}

/** Sends by SMTP, over a few connections that are kept. */
export function createSmtpMailer({ url, from }: SmtpMailerOptions): Mailer & { close(): void } {
  const transport = createTransport({ pool: true, url })
  return {
    async send({ to, subject, text }) {
      await transport.sendMail({ from, to, subject, text })
    },
    close: () => transport.close(),
  }
}
