import type { OwnMessage } from '../protocol/server-message.ts'

/** To every connection of a sandbox whose session ended. */
export const lostSession: OwnMessage = {
  severity: 'FATAL',
  code: '57P01',
  message: 'the sandbox lost its database session; all of its uncommitted work is gone',
}

/** On the stable URL, between sandboxes. */
export const noSandbox: OwnMessage = {
  code: '55000',
  message: 'no sandbox is open: nothing can be done to the database now',
  hint:
    'Open one with vivarium.openSandbox() and close it when the test ends; in Vitest the plugin does that around every test, ' +
    'so this statement ran before the first test, after the last one, or after its own test had ended (a missing await?).',
}

/** On the pinned URL of a sandbox in whose place another one works. */
export const sandboxLent: OwnMessage = {
  code: '55000',
  message: 'nothing can be done in this sandbox now: tests run at once, and one of them works in its database',
  hint: 'Use the URL of the test’s own sandbox, currentSandbox().postgres.url.',
}

/** On a pinned URL, after its sandbox. */
export const sandboxClosed: OwnMessage = {
  code: '55000',
  message: 'the sandbox of this URL is closed: nothing can be done to the database any more',
  hint: 'Use the URL of an open sandbox, and await all work before its sandbox closes.',
}
