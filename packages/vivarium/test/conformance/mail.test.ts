import { createTransport } from 'nodemailer'
import { expect, test } from 'vitest'
import { openVivarium, perSandbox, type Sandbox } from '../../src/index.ts'
import { runInSandbox } from '../../src/vivarium/current-sandbox.ts'
import { connectRaw, plainMail, send, useMailVivarium } from '../support/mail.ts'
import { closeCodes, wordsOf } from '../support/vivarium.ts'

const vivarium = useMailVivarium()

/** The mail that a test is about, sent and captured. */
async function sent(mail: Parameters<typeof send>[1]): Promise<Sandbox['mails'][number]> {
  const sandbox = await vivarium.openSandbox()
  await send(vivarium.mail.url, mail)
  const [captured] = sandbox.mails
  await sandbox.close()
  if (captured === undefined) throw new Error('no mail was captured')
  return captured
}

test('a mail is there as soon as the application knows that it was sent', async () => {
  const sandbox = await vivarium.openSandbox()
  const seen = await sandbox.observe(() => send(vivarium.mail.url, { subject: 'Welcome' }))
  expect(seen.mails.map(({ subject }) => subject)).toEqual(['Welcome'])
  expect(sandbox.mails).toEqual(seen.mails)
  expect(sandbox.interactions).toEqual(seen.mails)
  await sandbox.close()
})

test('addresses of every header, names beside them, and who stands only in the envelope', async () => {
  const mail = await sent({
    from: '"Shop, the" <shop@example.com>',
    to: ['Ada Löwe <ada@example.com>', 'grace@example.com'],
    cc: 'cc@example.com',
    bcc: 'hidden@example.com',
    replyTo: 'Help <help@example.com>',
  })
  expect(mail.from).toEqual({ name: 'Shop, the', address: 'shop@example.com' })
  expect(mail.to).toEqual([
    { name: 'Ada Löwe', address: 'ada@example.com' },
    { name: undefined, address: 'grace@example.com' },
  ])
  expect(mail.cc).toEqual([{ name: undefined, address: 'cc@example.com' }])
  expect(mail.bcc).toEqual([{ name: undefined, address: 'hidden@example.com' }])
  expect(mail.replyTo).toEqual([{ name: 'Help', address: 'help@example.com' }])
  expect(mail.envelope).toEqual({
    from: 'shop@example.com',
    to: ['ada@example.com', 'grace@example.com', 'cc@example.com', 'hidden@example.com'],
  })
})

test('text, HTML and headers are decoded, whatever they were sent in', async () => {
  const mail = await sent({
    subject: 'Grüße, 你好 ✓',
    text: 'Grüße\n.a line that begins with a dot\n你好',
    html: '<p>Grüße <img src="cid:logo"></p>',
    headers: { 'X-Campaign': 'für Löwen', 'X-Plain': 'a, b' },
    textEncoding: 'base64',
  })
  expect(mail.subject).toBe('Grüße, 你好 ✓')
  expect(mail.text?.trimEnd()).toBe('Grüße\n.a line that begins with a dot\n你好')
  expect(mail.html).toBe('<p>Grüße <img src="cid:logo"></p>')
  expect(mail.headers).toMatchObject({ 'x-campaign': 'für Löwen', 'x-plain': 'a, b', subject: 'Grüße, 你好 ✓' })
})

test('attachments and inline images have their name, type, bytes and content id', async () => {
  const mail = await sent({
    html: '<img src="cid:logo">',
    attachments: [
      { filename: 'Rechnung für Löwe.pdf', content: Buffer.from([0, 255, 13, 10, 46]), contentType: 'application/pdf' },
      { filename: 'logo.png', content: Buffer.from([1, 2, 3]), cid: 'logo' },
    ],
  })
  expect(mail.html, 'which still refers to it').toBe('<img src="cid:logo">')
  expect(mail.attachments).toHaveLength(2)
  expect(mail.attachments).toContainEqual({
    name: 'Rechnung für Löwe.pdf',
    type: 'application/pdf',
    content: Buffer.from([0, 255, 13, 10, 46]),
    cid: undefined,
    inline: false,
  })
  expect(mail.attachments).toContainEqual({
    name: 'logo.png',
    type: 'image/png',
    content: Buffer.from([1, 2, 3]),
    cid: 'logo',
    inline: true,
  })
})

test('a character set other than UTF-8, and lines of 8-bit text, are read', async () => {
  const sandbox = await vivarium.openSandbox()
  const { say, reply, socket } = await connectRaw(vivarium.mail.url)
  expect(await say('EHLO test')).toMatch(/PIPELINING[\s\S]*8BITMIME[\s\S]*SMTPUTF8[\s\S]*SIZE 52428800/)
  await say('MAIL FROM:<a@example.com> BODY=8BITMIME')
  await say('RCPT TO:<b@example.com>')
  await say('DATA')
  socket.write('Subject: =?ISO-8859-1?Q?Gr=FC=DFe?=\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n')
  socket.write(Buffer.from('Grüße\r\n.\r\n', 'latin1'))
  expect(await reply()).toMatch(/^250 /)
  socket.destroy()
  expect(sandbox.mails[0]).toMatchObject({
    subject: 'Grüße',
    text: expect.stringMatching(/^Grüße/),
    parseError: undefined,
  })
  await sandbox.close()
})

test('a whole mail in one write (pipelining), then a second one on the same connection', async () => {
  const sandbox = await vivarium.openSandbox()
  const { say, reply, socket } = await connectRaw(vivarium.mail.url)
  await say('EHLO test')
  await say('MAIL FROM:<a@example.com>', 'RCPT TO:<b@example.com>', 'DATA')
  expect([await reply(), await reply()]).toEqual(['250 Accepted', expect.stringMatching(/^354 /)])
  expect(await say('Subject: One', '', 'x', '.', 'MAIL FROM:<>', 'RCPT TO:<c@example.com>', 'DATA')).toMatch(/^250 /)
  await reply()
  await reply()
  await reply()
  expect(await say('Subject: Two', '', '.')).toMatch(/^250 /)
  socket.destroy()
  expect(sandbox.mails.map(({ subject, envelope }) => [subject, envelope.from])).toEqual([
    ['One', 'a@example.com'],
    ['Two', ''],
  ])
  await sandbox.close()
})

test.each([
  ['no header at all', 'just text, and no header'],
  [
    'a multipart without its end',
    'Subject: Half\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nthe text',
  ],
  [
    'an encoding and a character set that do not exist',
    'Subject: Half\r\nContent-Type: text/plain; charset=klingon\r\nContent-Transfer-Encoding: x\r\n\r\nthe text',
  ],
  ['headers that are bytes', 'Subject: \u0000\u0001\r\nFrom: <<<>>>\r\nTo: ,;,\r\n\r\nthe text'],
  ['base64 that is none', 'Subject: Half\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!?'],
])('invalid MIME (%s) is read as far as possible and kept as it came', async (_, message) => {
  const sandbox = await vivarium.openSandbox()
  const { say, socket } = await connectRaw(vivarium.mail.url)
  await say('EHLO test')
  await say('MAIL FROM:<a@example.com>')
  await say('RCPT TO:<b@example.com>')
  await say('DATA')
  expect(await say(message, '.')).toMatch(/^250 /)
  socket.destroy()
  const [mail] = sandbox.mails
  expect(mail?.envelope).toEqual({ from: 'a@example.com', to: ['b@example.com'] })
  expect(Buffer.from(mail?.raw ?? []).toString('utf8')).toBe(`${message}\r\n`)
  if (message.includes('Subject: Half')) expect(mail?.subject).toBe('Half')
  if (message.includes('the text')) expect(mail?.text).toMatch(/the text/)
  await sandbox.close()
})

test('STARTTLS is taken when the client asks for it, and its certificate can be trusted by name', async () => {
  const sandbox = await vivarium.openSandbox()
  const { port } = new URL(vivarium.mail.url)
  const options = { host: '127.0.0.1', port: Number(port), requireTLS: true, tls: { ca: vivarium.mail.certificate } }
  await createTransport(options).sendMail({ ...plainMail, subject: 'by address' })
  await createTransport({ ...options, host: 'localhost' }).sendMail({ ...plainMail, subject: 'by name' })
  const untrusting = createTransport({ ...options, tls: {} }).sendMail(plainMail)
  await expect(untrusting).rejects.toThrow(/self.signed/)
  expect(sandbox.mails.map(({ subject }) => subject)).toEqual(['by address', 'by name'])
  await sandbox.close()
})

test('STARTTLS is offered only where the option asks for it', async () => {
  const offering = await openVivarium({ mail: { offerTls: true } })
  const offered = await connectRaw(offering.mail.url)
  expect(await offered.say('EHLO test')).toMatch(/STARTTLS/)
  const plain = await connectRaw(vivarium.mail.url)
  expect(await plain.say('EHLO test')).not.toMatch(/STARTTLS/)
  plain.socket.destroy()
  await offering.close()
})

test('any credentials of the application are accepted, by every usual method', async () => {
  const sandbox = await vivarium.openSandbox()
  const { port } = new URL(vivarium.mail.url)
  for (const method of ['PLAIN', 'LOGIN', 'CRAM-MD5']) {
    const auth = { user: 'apikey', pass: 'secret', method }
    await createTransport({ host: '127.0.0.1', port: Number(port), auth, authMethod: method }).sendMail(plainMail)
  }
  expect(sandbox.mails).toHaveLength(3)
  await sandbox.close()
})

test('a pinned URL leads to its own sandbox, whatever else is open; the stable one to the current sandbox', async () => {
  const outer = await vivarium.openSandbox({ title: 'outer' })
  const one = await vivarium.openSandbox({ title: 'one', concurrent: true })
  const two = await vivarium.openSandbox({ title: 'two', concurrent: true })
  await Promise.all([
    send(one.mail.url, { subject: 'to one' }),
    send(two.mail.url, { subject: 'to two' }),
    send(vivarium.mail.url, { subject: 'to outer' }),
  ])
  expect([outer, one, two].map(({ mails }) => mails.map(({ subject }) => subject))).toEqual([
    ['to outer'],
    ['to one'],
    ['to two'],
  ])
  for (const sandbox of [one, two, outer]) await sandbox.close()
})

test('one transport for all, by perSandbox, is one of its own in each of a hundred sandboxes at once', async () => {
  const transport = perSandbox((sandbox) => createTransport(sandbox.mail.url))
  const numbers = Array.from({ length: 100 }, (_, number) => number)
  await Promise.all(
    numbers.map(async (number) => {
      const sandbox = await vivarium.openSandbox({ concurrent: true })
      await runInSandbox(sandbox, () => transport.sendMail({ ...plainMail, subject: `mail ${number}` }))
      expect(sandbox.mails.map(({ subject }) => subject)).toEqual([`mail ${number}`])
      await sandbox.close()
    }),
  )
})

test('what a file sent stays with the file; a test inside it has its own', async () => {
  const file = await vivarium.openSandbox({ title: 'file' })
  await send(vivarium.mail.url, { subject: 'beforeAll' })
  const inner = await vivarium.openSandbox({ title: 'test', within: file })
  await send(vivarium.mail.url, { subject: 'test' })
  expect(inner.mails.map(({ subject }) => subject)).toEqual(['test'])
  await inner.close()
  expect(file.mails.map(({ subject }) => subject)).toEqual(['beforeAll'])
  await file.close()
})

test('where no sandbox is open a mail is refused, with the remedy', async () => {
  await expect(send(vivarium.mail.url)).rejects.toThrow(/554 No sandbox is open.*inside a test or a hook.*NO_SANDBOX/)
})

test('the URL of a sandbox that has closed is refused, and so is one that nobody gave out', async () => {
  const sandbox = await vivarium.openSandbox({ title: 'gone' })
  const { url } = sandbox.mail
  await sandbox.close()
  await expect(send(url)).rejects.toThrow(/535 Sandbox "gone" is closed \(SANDBOX_CLOSED\)/)
  const other = await vivarium.openSandbox()
  const forged = other.mail.url.replace(/:[^:@]*@/, ':wrong@')
  await expect(send(forged)).rejects.toThrow(/535 .*take it from sandbox\.mail\.url/)
  expect(other.mails).toEqual([])
  await other.close()
})

test('a connection that was made in a sandbox and first used after its end is refused, and fails the one around it', async () => {
  const file = await vivarium.openSandbox({ title: 'file' })
  const inner = await vivarium.openSandbox({ title: 'test', within: file })
  const { say, socket } = await connectRaw(vivarium.mail.url)
  await say('EHLO test')
  await inner.close()
  expect(await say('MAIL FROM:<a@example.com>')).toMatch(
    /^554 A mail from a@example.com came when sandbox "test" had closed/,
  )
  socket.destroy()
  expect(file.mails).toEqual([])
  expect(await closeCodes(file)).toEqual(['SANDBOX_CLOSED'])
})

test('a mail that is being sent when its sandbox closes is waited for', async () => {
  const sandbox = await vivarium.openSandbox()
  const { say, socket } = await connectRaw(vivarium.mail.url)
  await say('EHLO test')
  await say('MAIL FROM:<a@example.com>')
  const closing = sandbox.close()
  await say('RCPT TO:<b@example.com>')
  await say('DATA')
  expect(await say('Subject: Late', '', 'x', '.')).toMatch(/^250 /)
  await closing
  socket.destroy()
  expect(sandbox.mails.map(({ subject }) => subject)).toEqual(['Late'])
})

test('a mail on a new connection belongs to the sandbox in which the connection was made, also while that closes', async () => {
  const sandbox = await vivarium.openSandbox()
  const { say, socket } = await connectRaw(vivarium.mail.url)
  const closing = sandbox.close()
  await say('EHLO test')
  await say('MAIL FROM:<a@example.com>')
  await say('RCPT TO:<b@example.com>')
  await say('DATA')
  expect(await say('Subject: Not awaited', '', '.')).toMatch(/^250 /)
  await closing
  socket.destroy()
  expect(sandbox.mails.map(({ subject }) => subject)).toEqual(['Not awaited'])
})

test('a mail that never ends is reported when its sandbox closes, in time, and its connection ended', async () => {
  const sandbox = await vivarium.openSandbox({ title: 'stuck' })
  const { say, reply, socket } = await connectRaw(vivarium.mail.url)
  await say('EHLO test')
  await say('MAIL FROM:<a@example.com>')
  await say('RCPT TO:<b@example.com>')
  await say('DATA')
  socket.write('Subject: without an end\r\n')
  const error = await sandbox.close().then(
    () => undefined,
    (rejected: unknown) => rejected,
  )
  expect(wordsOf(error)).toMatch(
    /was still being sent when sandbox "stuck" closed[\s\S]*a mail from a@example.com[\s\S]*MAIL_STILL_SENDING/,
  )
  expect(await reply()).toBe('closed')
})

test('a connection that the application never closes holds up neither a sandbox nor the vivarium', async () => {
  const own = await openVivarium({ mail: {} })
  const sandbox = await own.openSandbox()
  const pool = createTransport({ pool: true, ...urlParts(own.mail.url) })
  await pool.sendMail(plainMail)
  const pinned = await connectRaw(sandbox.mail.url)
  await pinned.say('EHLO test')
  const { username, password } = new URL(sandbox.mail.url)
  expect(await pinned.say(`AUTH PLAIN ${Buffer.from(`\0${username}\0${password}`).toString('base64')}`)).toMatch(
    /^235 /,
  )
  await sandbox.close()
  expect(await pinned.reply(), 'a pinned connection ends with its sandbox').toBe('closed')
  const next = await own.openSandbox()
  await pool.sendMail({ ...plainMail, subject: 'on the old connection' })
  expect(next.mails.map(({ subject }) => subject)).toEqual(['on the old connection'])
  await next.close()
  await own.close()
  pool.close()
})

test('a mail of 30 MB comes whole; one above the limit is refused by name, before and after its bytes', async () => {
  const sandbox = await vivarium.openSandbox()
  const content = Buffer.alloc(22 * 1024 * 1024, 'vivarium ')
  await send(vivarium.mail.url, { attachments: [{ filename: 'large.bin', content }] })
  expect(sandbox.mails[0]?.raw.length).toBeGreaterThan(30_000_000)
  expect(sandbox.mails[0]?.attachments[0]?.content.length).toBe(content.length)
  await sandbox.close()

  const small = await openVivarium({ mail: { maxBytes: 1000 } })
  const limited = await small.openSandbox()
  await expect(send(small.mail.url, { text: 'x'.repeat(2000) })).rejects.toThrow(/552 .*1000/)
  const { say, socket } = await connectRaw(small.mail.url)
  await say('EHLO test')
  await say('MAIL FROM:<a@example.com>')
  await say('RCPT TO:<b@example.com>')
  await say('DATA')
  expect(await say('Subject: x', '', 'x'.repeat(2000), '.')).toBe(
    '552 The mail has more than 1000 bytes: raise mail.maxBytes',
  )
  socket.destroy()
  expect(limited.mails).toEqual([])
  await limited.close()
  await small.close()
})

test('without the option `mail` there is no server, and asking for one says what to do', async () => {
  const without = await openVivarium({})
  const sandbox = await without.openSandbox()
  expect(() => without.mail).toThrow(/no mail server[\s\S]*mail: \{\}/)
  expect(() => sandbox.mail).toThrow(/no mail server/)
  await sandbox.close()
  await without.close()
})

function urlParts(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port) }
}
