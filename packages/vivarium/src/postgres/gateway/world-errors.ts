import { VivariumError } from '../../core/errors.ts'

/** What a sandbox fails with whose world can no longer be used. */
export function brokenWorld(title: string, reason: Error): VivariumError {
  if (reason instanceof VivariumError && reason.code === 'COMMITTED_FOR_REAL') return reason
  return new VivariumError('SANDBOX_BROKEN', {
    what: `The sandbox "${title}" lost its database session; all of its uncommitted work is gone.`,
    seen: reason.message,
    remedy: 'See what ended the session: the server going down, a terminated backend, or a bug worth reporting.',
    cause: reason,
  })
}

/** The worst that can happen: what is to be rolled back was committed. */
export function committedForReal(text: string): VivariumError {
  return new VivariumError('COMMITTED_FOR_REAL', {
    what: 'Something committed for real inside a sandbox; its database is dropped.',
    seen: `the server answered COMMIT to "${text}"`,
    remedy: 'This is a defect of Vivarium: please report it with the statements before it (`sandbox.interactions`).',
  })
}
