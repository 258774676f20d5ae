import type { Hono } from 'hono'
import { html } from 'hono/html'
import type { ObservedMail } from 'vivarium'
import type { PretendCharge } from './pretend-stripe.ts'

export interface DevelopmentPages {
  readonly mails: (() => readonly ObservedMail[]) | undefined
  readonly charges: readonly PretendCharge[] | undefined
}

/** What the shop has sent and charged, where stand-ins have it. */
export function addDevelopmentPages(app: Hono, { mails, charges }: DevelopmentPages): void {
  if (mails !== undefined) {
    app.get('/dev/mails', (context) => context.html(mailsPage(mails())))
    app.get('/dev/mails.json', (context) => context.json(mails().map(shown)))
  }
  if (charges !== undefined) app.get('/dev/charges', (context) => context.json(charges))
}

function shown({ to, subject, text, links }: ObservedMail): object {
  return { to: to.map(({ address }) => address), subject, text, links }
}

function mailsPage(mails: readonly ObservedMail[]): ReturnType<typeof html> {
  return html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <title>Mails of the shop</title>
      <h1>Mails of the shop</h1>
      ${mails.length === 0 ? html`<p>None has been sent yet.</p>` : mails.toReversed().map(mailShown)}
    </html>`
}

function mailShown({ to, subject, text, links }: ObservedMail): ReturnType<typeof html> {
  return html`<article>
    <h2>${subject}</h2>
    <p>To ${to.map(({ address }) => address).join(', ')}</p>
    <pre>${text}</pre>
    ${links.map((link) => html`<p><a href="${link}">${link}</a></p>`)}
  </article>`
}
