// What is written down when something goes wrong: enough to find it, and nothing that is a user's.
import { expect, test } from 'vitest'
import { createLogger } from '../../src/log/logger.ts'
import type { CreateLoggerOptions } from '../../src/log/logger.ts'
import { openTestShop } from '../support/test-shop.ts'

const { shop } = openTestShop()

function openLog(options: CreateLoggerOptions = {}): { lines: string[]; logger: ReturnType<typeof createLogger> } {
  const lines: string[] = []
  return { lines, logger: createLogger({ ...options, write: (line) => lines.push(line) }) }
}

test('a query that failed is logged with what Postgres said, and without its values', async () => {
  // Given a query that Postgres refuses, with a user's email in it
  await shop.accounts.createUser({ email: 'ada@example.com' })
  const failure: Error = await shop.accounts.createUser({ email: 'ada@example.com' }).catch((error) => error)
  expect(failure.message).toContain('ada@example.com')

  // When it is logged
  const { lines, logger } = openLog()
  logger.error('request failed', { error: failure })

  // Then the line says what happened where
  expect(JSON.parse(lines[0]!)).toMatchObject({
    level: 'error',
    event: 'request failed',
    error: {
      message: expect.stringMatching(/^Failed query: insert into "users"/),
      cause: { code: '23505', message: expect.stringContaining('users_email_key') },
    },
  })
  // and not to whom
  expect(lines[0]).not.toContain('ada@example.com')
})

test('one event is one line, whatever is in it', () => {
  const { lines, logger } = openLog()
  logger.with({ requestId: 'r1' }).warn('odd', { text: 'two\nlines' })
  expect(lines).toEqual([expect.stringMatching(/^\{[^\n]*\}\n$/)])
  expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'warn', event: 'odd', requestId: 'r1', text: 'two\nlines' })
})

test('what is less than the level is not written', () => {
  const { lines, logger } = openLog({ level: 'warn' })
  logger.info('listening')
  logger.error('uncaught exception')
  expect(lines).toHaveLength(1)
})
