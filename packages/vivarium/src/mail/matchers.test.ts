import { describe, expect, expectTypeOf, test } from 'vitest'
import { observedMail } from '../../test/support/mails.ts'
import { VivariumError } from '../core/errors.ts'
import type { MailExpectation } from './mail-pattern.ts'
import { type MailTrace, toHaveSentMail, toHaveSentMails } from './matchers.ts'

const pdf = {
  name: 'invoice.pdf',
  type: 'application/pdf',
  content: Buffer.from('%PDF'),
  cid: undefined,
  inline: false,
}
const logo = { name: 'logo.png', type: 'image/png', content: Buffer.from([1, 2]), cid: 'logo', inline: true }
const mail = observedMail({
  to: [
    { name: 'Ada', address: 'ada@example.com' },
    { name: undefined, address: 'grace@example.com' },
  ],
  cc: [{ name: undefined, address: 'cc@example.com' }],
  bcc: [{ name: undefined, address: 'bcc@example.com' }],
  replyTo: [{ name: 'Help', address: 'help@example.com' }],
  html: '<p>Hello</p>',
  attachments: [pdf, logo],
  links: ['https://example.com/verify?token=a', 'https://example.com/help'],
})
const trace: MailTrace = { mails: [mail] }

const matching: readonly [string, MailExpectation | undefined][] = [
  ['any mail', undefined],
  ['an empty pattern', {}],
  ['the sender', { from: 'shop@example.com' }],
  ['the sender in other letters', { from: 'Shop@Example.COM' }],
  ['the sender with its name', { from: 'The shop <shop@example.com>' }],
  ['one of the recipients', { to: 'grace@example.com' }],
  ['all recipients in any order', { to: ['grace@example.com', 'ada@example.com'] }],
  ['recipients of each kind', { cc: 'cc@example.com', bcc: 'bcc@example.com', replyTo: /help/ }],
  ['a matcher on an address', { to: expect.stringContaining('@example.com') }],
  ['the subject', { subject: 'Welcome to the shop' }],
  ['the subject by a regular expression', { subject: /welcome/i }],
  ['the subject by one with the flag g, twice', { subject: /^Welcome/g }],
  ['the text by a matcher', { text: expect.stringContaining('123456') }],
  ['the HTML', { html: '<p>Hello</p>' }],
  ['a header in other letters', { headers: { 'X-Campaign': 'welcome' } }],
  ['no such header', { headers: { 'x-other': undefined } }],
  ['one of the attachments', { attachments: { name: 'invoice.pdf' } }],
  ['all attachments, by parts of them', { attachments: [{ inline: true, cid: 'logo' }, { content: '%PDF' }] }],
  ['an attachment by its bytes', { attachments: { content: Buffer.from([1, 2]) } }],
  ['an attachment by a matcher', { attachments: { content: expect.any(Uint8Array), type: /pdf$/ } }],
  ['a link', { links: /token=/ }],
  ['a function', ({ subject }) => subject.startsWith('Welcome')],
]

const failing: readonly [string, MailExpectation][] = [
  ['another sender', { from: 'shop@example.org' }],
  ['another name', { from: 'A shop <shop@example.com>' }],
  ['somebody who is no recipient', { to: 'bob@example.com' }],
  ['a recipient of another kind', { to: 'cc@example.com' }],
  ['recipients and one left out', { to: ['grace@example.com'] }],
  ['recipients and one too many', { to: ['grace@example.com', 'ada@example.com', 'bob@example.com'] }],
  ['one recipient twice', { to: ['grace@example.com', 'grace@example.com'] }],
  ['no recipients', { to: undefined }],
  ['a subject that is only part of it', { subject: 'Welcome' }],
  ['a text by a matcher', { text: expect.stringContaining('654321') }],
  ['no HTML', { html: undefined }],
  ['another header', { headers: { 'x-campaign': 'goodbye' } }],
  ['a header that is not there', { headers: { 'x-other': /./ } }],
  [
    'an attachment with the name of one and the type of the other',
    { attachments: { name: 'invoice.pdf', type: 'image/png' } },
  ],
  ['attachments and one left out', { attachments: [{ cid: 'logo' }] }],
  ['other bytes', { attachments: { content: Buffer.from([1, 3]) } }],
  ['a link', { links: 'https://example.com' }],
  ['a function', ({ subject }) => subject === ''],
  ['one field right and one wrong', { subject: 'Welcome to the shop', text: 'Hello' }],
]

test.each(matching)('a mail matches: %s', (_, expected) => {
  expect(toHaveSentMail(trace, expected).pass).toBe(true)
  expect(toHaveSentMail(trace, expected).pass, 'and nothing is consumed').toBe(true)
})

test.each(failing)('a mail does not match: %s', (_, expected) => {
  expect(toHaveSentMail(trace, expected).pass).toBe(false)
})

test('patterns that overlap each find a value of their own', () => {
  expect(toHaveSentMail(trace, { to: [/@example/, 'ada@example.com'] }).pass).toBe(true)
  expect(toHaveSentMail(trace, { to: ['ada@example.com', /@example/] }).pass).toBe(true)
  expect(toHaveSentMail(trace, { to: [/ada/, /ada/] }).pass).toBe(false)
})

test('a count must be right exactly; order does not matter', () => {
  const mails = { mails: [mail, observedMail(), mail] }
  expect(toHaveSentMail(mails, { cc: 'cc@example.com' }, { times: 2 }).pass).toBe(true)
  expect(toHaveSentMail(mails, { cc: 'cc@example.com' }, { times: 1 }).pass).toBe(false)
  expect(toHaveSentMail(mails, { subject: 'None such' }, { times: 0 }).pass).toBe(true)
  expect(toHaveSentMails(mails, 3).pass).toBe(true)
  expect(toHaveSentMails(mails, 2).pass).toBe(false)
  expect(toHaveSentMails({ mails: [] }, 0).pass).toBe(true)
})

test('a name that no mail has is refused with the nearest one', () => {
  const misspelt = { subjet: 'Welcome' } as MailExpectation
  expect(() => toHaveSentMail(trace, misspelt)).toThrow(/`subjet`[\s\S]*Did you mean `subject`\?/)
  const inside = { attachments: [{ filename: 'invoice.pdf' }] } as MailExpectation
  expect(() => toHaveSentMail(trace, inside)).toThrow(/`attachments\.filename`/)
})

test('what is neither a sandbox nor an observation is refused', () => {
  expect(() => toHaveSentMail('a sandbox' as unknown as MailTrace)).toThrow(VivariumError)
  expect(() => toHaveSentMails({ calls: [] } as unknown as MailTrace, 1)).toThrow(
    /has no mails[\s\S]*calls[\s\S]*NOT_A_TRACE/,
  )
})

test('fields and their types are known to the compiler', () => {
  // @ts-expect-error: no mail has this
  expect(() => toHaveSentMail(trace, { subjet: 'Welcome' })).toThrow(/subjet/)
  // @ts-expect-error: a subject is a text
  toHaveSentMail(trace, { subject: 1 })
  // @ts-expect-error: an attachment is not a name
  expect(() => toHaveSentMail(trace, { attachments: ['invoice.pdf'] })).toThrow(/attachments/)
  expectTypeOf(toHaveSentMail).parameter(0).toExtend<MailTrace>()
})

describe('messages, in 80 columns', () => {
  const others = [
    observedMail({ to: [{ name: undefined, address: 'bob@example.com' }], text: 'Hello Bob,\nyour code is 654321.\n' }),
    observedMail({
      subject: 'Your order 4711 of the twenty-third of November has been shipped by an unusual carrier',
      to: ['ada', 'bob', 'carol', 'dave', 'eve'].map((name) => ({ name, address: `${name}@long-domain.example.com` })),
      attachments: [pdf, logo],
    }),
  ]
  const messageOf = ({ pass, message }: ReturnType<typeof toHaveSentMail>): string => {
    const text = message()
    expect(Math.max(...text.split('\n').map((line) => line.length)), 'columns').toBeLessThanOrEqual(80)
    return `${pass ? 'passes' : 'fails'}: ${text}`
  }

  test('what was sent, and why each did not match', () => {
    const expected = {
      to: 'ada@example.com',
      subject: /^Welcome/,
      text: expect.stringContaining('123456'),
      attachments: [],
    }
    expect(messageOf(toHaveSentMail({ mails: others }, expected))).toMatchInlineSnapshot(`
      "fails: No mail matched.

      Expected:
        to           'ada@example.com'
        subject      /^Welcome/
        text         StringContaining '123456'
        attachments  none

      2 mails did not match:
        1) 'Welcome to the shop' to bob@example.com
           to: expected 'ada@example.com'
               received bob@example.com
           text: expected StringContaining '123456'
                 received 'Hello Bob,\\nyour code is 654321.\\n'
        2) 'Your order 4711 of the twenty-th… to ada@long-domain.example.com, bob@lo…
           to: expected 'ada@example.com'
               received ada <ada@long-domain.example.com>, bob <bob@long-domain.examp…
           subject: expected /^Welcome/
                    received 'Your order 4711 of the twenty-third of …y an unusual ca…
           attachments: expected none
                        received invoice.pdf (application/pdf, 4 bytes), logo.png (im…"
    `)
  })

  test('two long texts are shown from where they part', () => {
    const text = `Hello Ada,\n${'welcome to the shop; '.repeat(10)}your code is 123456.\n`
    expect(messageOf(toHaveSentMail({ mails: [observedMail({ text })] }, { text: text.replace('123', '321') })))
      .toMatchInlineSnapshot(`
      "fails: No mail matched.

      Expected:
        text  'Hello Ada,\\nwelcome to the shop; welcome…our code is 32145…

      1 mail did not match:
        1) 'Welcome to the shop' to ada@example.com
           text: expected '… shop; your code is 321456.\\n'
                 received '… shop; your code is 123456.\\n'"
    `)
  })

  test('a function', () => {
    expect(messageOf(toHaveSentMail({ mails: others }, ({ subject }) => subject === 'Nothing'))).toMatchInlineSnapshot(`
      "fails: No mail matched.

      Expected:
        a mail for which this is true: ({ subject }) => subject === "Nothing"

      2 mails did not match:
        1) 'Welcome to the shop' to bob@example.com
           the function returned false
        2) 'Your order 4711 of the twenty-th… to ada@long-domain.example.com, bob@lo…
           the function returned false"
    `)
  })

  test('no mail at all', () => {
    expect(messageOf(toHaveSentMail({ mails: [] }, { to: 'ada@example.com' }))).toMatchInlineSnapshot(`
      "fails: No mail matched.

      Expected:
        to  'ada@example.com'

      No mail was sent."
    `)
  })

  test('a mail too many', () => {
    expect(
      messageOf(toHaveSentMail({ mails: [mail, mail, ...others] }, { to: /ada@/, subject: /welcome/i }, { times: 1 })),
    ).toMatchInlineSnapshot(`
      "fails: 2 mails matched, and 1 mail should have.

      Expected:
        to       /ada@/
        subject  /welcome/i

      2 mails matched:
        1) 'Welcome to the shop' to ada@example.com, grace@example.com
        2) 'Welcome to the shop' to ada@example.com, grace@example.com
      2 mails did not match:
        1) 'Welcome to the shop' to bob@example.com
           to: expected /ada@/
               received bob@example.com
        2) 'Your order 4711 of the twenty-th… to ada@long-domain.example.com, bob@lo…
           subject: expected /welcome/i
                    received 'Your order 4711 of the twenty-third of …y an unusual ca…"
    `)
  })

  test('one that should not have been sent', () => {
    expect(messageOf(toHaveSentMail({ mails: [mail] }, { to: /ada@/ }))).toMatchInlineSnapshot(`
      "passes: A mail was sent that should not have been.

      Expected:
        to  /ada@/

      1 mail matched:
        1) 'Welcome to the shop' to ada@example.com, grace@example.com"
    `)
  })

  test('another number of mails', () => {
    expect(messageOf(toHaveSentMails({ mails: others }, 0))).toMatchInlineSnapshot(`
      "fails: Expected 0 mails, and 2 were sent.
        1) 'Welcome to the shop' to bob@example.com
        2) 'Your order 4711 of the twenty-th… to ada@long-domain.example.com, bob@lo…"
    `)
  })

  test('a hundred mails are cut short', () => {
    const mails = Array.from({ length: 100 }, (_, index) => observedMail({ subject: `mail ${index}` }))
    expect(messageOf(toHaveSentMail({ mails }, { subject: 'mail 100' })).split('\n')).toHaveLength(37)
  })
})
