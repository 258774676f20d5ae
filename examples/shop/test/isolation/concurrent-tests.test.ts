// Tests that run at once: one shop for all in the code, and one for each test behind it, on its own database and mail service.
import { test } from 'vitest'
import { currentSandbox, perSandbox } from 'vivarium'
import { createMemoryCache } from '../../src/cache/memory-cache.ts'
import { createSmtpMailer } from '../../src/mail/smtp-mailer.ts'
import { createMemoryPubSub } from '../../src/pub-sub/memory-pub-sub.ts'
import { openShop } from '../../src/shop.ts'
import { provider } from '../support/payment-provider.ts'

const mailer = perSandbox((sandbox) => createSmtpMailer({ url: sandbox.mail.url, from: 'shop@example.com' }))
const shop = perSandbox((sandbox) =>
  openShop({
    databaseUrl: sandbox.postgres.url,
    payments: provider.double,
    mailer,
    cache: createMemoryCache(),
    pubSub: createMemoryPubSub(),
    verificationLink: (token) => `https://shop.example.com/verify-email?token=${token}`,
  }),
)

test.concurrent.for(['Ada', 'Grace', 'Linus'])('%s registers as the first user of all', async (name, { expect }) => {
  // When they register, at the same moment as the others, with the same email
  const result = await shop.accounts.registerUser({ email: 'me@example.com', password: `the password of ${name}` })

  // Then they are number 1, and theirs is the one mail
  expect(result).toMatchObject({ ok: true, user: { id: 1 }, welcomed: true })
  expect(currentSandbox()).toHaveSentMails(1)
})
