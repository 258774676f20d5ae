import type { ObservedMail } from '../../src/core/interactions.ts'

/** An observed mail with nothing particular about it but what is given. */
export function observedMail(given: Partial<ObservedMail> = {}): ObservedMail {
  const to = given.to ?? [{ name: undefined, address: 'ada@example.com' }]
  return {
    component: 'mail',
    from: { name: 'The shop', address: 'shop@example.com' },
    to,
    cc: [],
    bcc: [],
    replyTo: [],
    subject: 'Welcome to the shop',
    text: 'Hello Ada,\nyour code is 123456.\n',
    html: undefined,
    headers: { 'x-campaign': 'welcome' },
    attachments: [],
    envelope: { from: 'shop@example.com', to: to.map(({ address }) => address) },
    links: [],
    raw: new Uint8Array(),
    parseError: undefined,
    at: 1,
    ...given,
  }
}
