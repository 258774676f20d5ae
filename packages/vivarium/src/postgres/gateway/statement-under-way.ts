import { now, realSetTimeout } from '../../core/clock.ts'
import type { BackendConnection } from '../connection/backend-connection.ts'
import { openPostgresClient } from '../connection/client.ts'

/** How long a statement of ours, or the server's delay, is waited for. Milliseconds. */
const deadlineMs = 1000

/** Between two looks, and once where the server does not show what it runs. Milliseconds. */
const lookAgainMs = 5

/**
 * Resolves when the server is at a statement that is not ours, on a session that has something to answer. What the server
 * has done it tells only with its next ReadyForQuery, so another connection has to look. Past the deadline, or when nobody
 * can look, it resolves as well.
 */
export async function statementUnderWay(
  { target, processId }: BackendConnection,
  { isOurs, isOver }: { isOurs(text: string): boolean; isOver(): boolean },
): Promise<void> {
  const start = now()
  const pause = (): Promise<void> => new Promise((resolve) => realSetTimeout(resolve, lookAgainMs))
  try {
    await using client = await openPostgresClient(target, { deadlineMs })
    while (!isOver() && now() - start < deadlineMs) {
      const [row] = await client.query(
        `SELECT state, query FROM pg_catalog.pg_stat_activity WHERE pid = ${processId} /* vivarium: before a cancel */`,
      )
      const { state, query } = row ?? {}
      if (state === undefined || state === null || state === 'disabled') return await pause()
      // Idle: it has not read yet what we sent.
      if (!state.startsWith('idle') && !isOurs(query ?? '')) return
      await pause()
    }
  } catch {
    await pause()
  }
}
