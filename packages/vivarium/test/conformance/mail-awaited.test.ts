import { createTransport } from 'nodemailer'
import { expect, test } from 'vitest'
import { closeCodes } from '../support/vivarium.ts'
import { connectRaw, plainMail, send, useMailVivarium } from '../support/mail.ts'

const vivarium = useMailVivarium()

test('a mail that comes later is awaited; one that is there is given at once, and can be had again', async () => {
  const sandbox = await vivarium.openSandbox()
  const awaited = sandbox.mail.received({ subject: /second/ }, { within: 20_000 })
  await send(vivarium.mail.url, { subject: 'the first' })
  await send(vivarium.mail.url, { subject: 'the second' })
  const mail = await awaited
  expect(mail.subject).toBe('the second')
  expect(await sandbox.mail.received({ subject: /second/ })).toBe(mail)
  expect(sandbox.mails).toHaveLength(2)
  await sandbox.close()
})

test('a mail that does not come is an error in time, which lists what came and why it does not match', async () => {
  const sandbox = await vivarium.openSandbox()
  await send(vivarium.mail.url, { subject: 'Welcome' })
  await expect(sandbox.mail.received({ subject: 'Goodbye' }, { within: 20 })).rejects.toThrow(
    /No mail matched within 20 ms\.[\s\S]*subject: expected 'Goodbye'\n\s+received 'Welcome'[\s\S]*MAIL_NOT_RECEIVED/,
  )
  await sandbox.close()
})

test('whoever awaits a mail is told when the sandbox closes; a function that throws is heard', async () => {
  const sandbox = await vivarium.openSandbox()
  const awaited = sandbox.mail.received({ subject: 'Never' }, { within: 60_000 })
  const judged = sandbox.mail.received(
    () => {
      throw new Error('the test’s own mistake')
    },
    { within: 60_000 },
  )
  const outcomes = Promise.allSettled([awaited, judged])
  await send(vivarium.mail.url)
  await sandbox.close()
  expect(await outcomes).toMatchObject([
    { reason: { code: 'MAIL_NOT_RECEIVED', message: expect.stringContaining('before its sandbox closed') } },
    { reason: { message: 'the test’s own mistake' } },
  ])
})

test('awaiting in a closed sandbox is refused', async () => {
  const sandbox = await vivarium.openSandbox({ title: 'gone' })
  const { mail } = sandbox
  await sandbox.close()
  await expect(mail.received()).rejects.toThrow(/sandbox "gone" is closed/)
  expect(() => mail.reject('greylisted')).toThrow(/sandbox "gone" is closed/)
})

test.each([
  ['mailbox-full', /552 5\.2\.2 Mailbox full/],
  ['mailbox-full-for-now', /452 4\.2\.2 Mailbox full/],
  ['unknown-recipient', /550 5\.1\.1 No such user/],
] as const)('%s: every mail is refused, and none is captured', async (kind, message) => {
  const sandbox = await vivarium.openSandbox()
  sandbox.mail.reject(kind)
  await expect(send(vivarium.mail.url)).rejects.toThrow(message)
  await expect(send(vivarium.mail.url)).rejects.toThrow(message)
  expect(sandbox.mails).toEqual([])
  await sandbox.close()
})

test('a greylist refuses once, and then lets the mail through', async () => {
  const sandbox = await vivarium.openSandbox()
  sandbox.mail.reject('greylisted', { to: /@example\.com$/ })
  await expect(send(vivarium.mail.url)).rejects.toMatchObject({ responseCode: 451 })
  await send(vivarium.mail.url)
  expect(sandbox.mails).toHaveLength(1)
  await sandbox.close()
})

test('one recipient of two is refused; the mail goes to the other', async () => {
  const sandbox = await vivarium.openSandbox()
  sandbox.mail.reject('mailbox-full', { to: 'Ada@example.com' })
  const transport = createTransport(vivarium.mail.url)
  const info = await transport.sendMail({ ...plainMail, to: ['ada@example.com', 'grace@example.com'] })
  expect(info).toMatchObject({ accepted: ['grace@example.com'], rejected: ['ada@example.com'] })
  expect(sandbox.mails[0]?.envelope.to).toEqual(['grace@example.com'])
  await sandbox.close()
})

test('a connection is dropped when the whole mail was there: no answer, no mail, and the next one is well', async () => {
  const sandbox = await vivarium.openSandbox()
  sandbox.mail.reject('dropped', { times: 1 })
  const { say } = await connectRaw(vivarium.mail.url)
  await say('EHLO test')
  await say('MAIL FROM:<a@example.com>')
  await say('RCPT TO:<b@example.com>')
  await say('DATA')
  expect(await say('Subject: x', '', 'x', '.')).toBe('closed')
  expect(sandbox.mails).toEqual([])
  await send(vivarium.mail.url)
  expect(sandbox.mails).toHaveLength(1)
  await sandbox.close()
})

test('a reply of the test’s own, as often as it says; what no server says is refused', async () => {
  const sandbox = await vivarium.openSandbox()
  sandbox.mail.reject({ code: 554, message: 'Not today' }, { times: 2 })
  await expect(send(vivarium.mail.url)).rejects.toThrow(/554 Not today/)
  await expect(send(vivarium.mail.url)).rejects.toThrow(/554 Not today/)
  await send(vivarium.mail.url)
  expect(() => sandbox.mail.reject({ code: 250, message: 'OK' })).toThrow(/no mail server says[\s\S]*greylisted/)
  await sandbox.close()
})

test('a refusal asked for in the file holds in its tests, the test’s own first; it is gone with its sandbox', async () => {
  const file = await vivarium.openSandbox({ title: 'file' })
  file.mail.reject('mailbox-full')
  const inner = await vivarium.openSandbox({ title: 'test', within: file })
  inner.mail.reject('greylisted')
  await expect(send(vivarium.mail.url)).rejects.toMatchObject({ responseCode: 451 })
  await expect(send(vivarium.mail.url)).rejects.toMatchObject({ responseCode: 552 })
  await inner.close()
  await file.close()
  const next = await vivarium.openSandbox()
  await send(vivarium.mail.url)
  expect(next.mails).toHaveLength(1)
  await next.close()
})

test('a mail that was refused on demand is named by whoever awaits it', async () => {
  const sandbox = await vivarium.openSandbox()
  sandbox.mail.reject('mailbox-full', { to: 'ada@example.com' })
  await expect(send(vivarium.mail.url)).rejects.toThrow(/552/)
  await expect(sandbox.mail.received({}, { within: 10 })).rejects.toThrow(
    /No mail was sent\.\nRefused on demand:\n\s+from shop@example\.com to ada@example\.com: 552/,
  )
  expect(await closeCodes(sandbox)).toEqual([])
})
