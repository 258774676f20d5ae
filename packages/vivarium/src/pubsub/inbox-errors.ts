import { VivariumError } from '../core/errors.ts'

export function noSandbox(source: string): VivariumError {
  return new VivariumError('NO_SANDBOX', {
    what: `Cannot open an inbox on ${source}: no sandbox is open here.`,
    remedy:
      'Open it inside a test or a hook, not while the file loads: an inbox belongs to a sandbox and ends with it.',
  })
}

export function notOpened(source: string, seen: string, cause?: unknown): VivariumError {
  return new VivariumError('INBOX_NOT_OPENED', {
    what: `The inbox on ${source} could not be opened.`,
    seen,
    remedy: 'See what the source says: whether its server can be reached, and whether what it listens to exists.',
    cause,
  })
}

export function notClosed(source: string, ms: number): VivariumError {
  return new VivariumError('INBOX_NOT_CLOSED', {
    what: `The inbox on ${source} could not be closed.`,
    seen: `its source did not end within ${ms} ms`,
    remedy: 'Let what `open` of the source resolves to end the subscription, without waiting for messages.',
  })
}

export function notShared(name: string, owner: string, asking: string): VivariumError {
  return new VivariumError('INBOX_NOT_SHARED', {
    what: `The inbox on ${name} belongs to "${owner}" and hears nothing of what "${asking}" does.`,
    remedy: 'Open it in the test, or in beforeEach: each sandbox has channels of its own.',
  })
}

export function broken(name: string, error: unknown): VivariumError {
  return new VivariumError('INBOX_BROKEN', {
    what: `The source of the inbox on ${name} broke: what it would have received is not known.`,
    seen: saidBy(error),
    remedy: 'Repair what ended it; a server that was restarted or an aborted request ends a subscription.',
    cause: error,
  })
}

export function stillAwaited(what: string, title: string): VivariumError {
  return new VivariumError('MESSAGE_STILL_AWAITED', {
    what: `${what} was still waiting when sandbox "${title}" closed.`,
    remedy: 'Await it: `await expect(inbox).toReceive(…)`. Where the test timed out, give it longer than `within`.',
  })
}

export function notAnInbox(matcher: string, given: unknown): VivariumError {
  return new VivariumError('NOT_AN_INBOX', {
    what: `${matcher}() was given something that is no inbox.`,
    seen:
      typeof given === 'object' && given !== null ? `an object with: ${Object.keys(given).join(', ')}` : String(given),
    remedy: 'Give expect() what `await openInbox(source)` resolved to, or a list or an object of several.',
  })
}

/** What an error says, whatever was thrown. */
export function saidBy(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
