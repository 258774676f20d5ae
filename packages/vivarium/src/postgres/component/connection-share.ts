import { VivariumError } from '../../core/errors.ts'

/** What one process of a run may have of connections to the server, besides the one that holds its locks. */
export interface ConnectionShare {
  /** For sandboxes: sessions, and the connections of isolation `'database'`. */
  readonly sandboxes: number
  /** For making and dropping databases. */
  readonly clones: number
}

/** The run's own lock; the template's builder is gone when the workers come, and is there again for a moment at the end. */
const ofTheHost = 2
/** The one that holds the locks, and one that asks for a moment what the server reports to a new kind of login. */
const ofEachWorker = 2
const mostForClones = 4
/** One for a sandbox and one that makes databases. */
const leastShare = 2

/**
 * Divides what a run may have among its workers: what was asked for, but not more than the server accepts.
 *
 * @throws VivariumError CONFIG_INVALID when too little was asked for.
 */
export function shareConnections(asked: number | undefined, accepted: number, workers: number): ConnectionShare {
  const each = Math.floor((Math.min(asked ?? accepted, accepted) - ofTheHost) / workers) - ofEachWorker
  if (each < leastShare && asked !== undefined) throw tooFew(asked, workers)
  // Many workers and a small server: they wait for one another at the server's door.
  const share = Math.max(leastShare, each)
  const clones = Math.min(mostForClones, Math.max(1, Math.floor(share / 4)))
  return { sandboxes: share - clones, clones }
}

function tooFew(asked: number, workers: number): VivariumError {
  return new VivariumError('CONFIG_INVALID', {
    what: `\`postgres.maxConnections\` is too small: ${asked}, for ${workers} worker${workers === 1 ? '' : 's'}.`,
    remedy: `Give it at least ${ofTheHost + workers * (ofEachWorker + leastShare)}, or run fewer workers (\`maxWorkers\` of the runner).`,
  })
}
