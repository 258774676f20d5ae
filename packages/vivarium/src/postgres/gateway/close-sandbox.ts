import { nextTurn, now, withDeadline } from '../../core/clock.ts'
import { VivariumError } from '../../core/errors.ts'
import type { OwnMessage } from '../protocol/server-message.ts'
import type { VirtualConnection } from './virtual-connection.ts'
import type { World } from './world.ts'

/** How long a cancelled statement may take to end before its session is given up. Milliseconds. */
const cancelDeadlineMs = 5000

/** How long the server may take to say that it is ready behind an answer that the client has. Milliseconds. */
const readyDeadlineMs = 5000

/**
 * Ends the innermost sandbox of a world: reports and ends what is still going on, then rolls back. `endClients` is called after a
 * first search, so that a client that it ends cannot hide what was left open; `refuse` when nothing more may begin. Resolves
 * to what the test left behind.
 */
export async function closeSandbox(
  world: World,
  title: string,
  endClients: (() => Promise<void>) | undefined,
  refuse: () => void,
): Promise<unknown[]> {
  const failures: unknown[] = []
  world.nesting.closing()
  if (endClients !== undefined) {
    await nextTurn()
    await endOpenWork(world, title, failures)
    await endClients()
  }
  // Statements that the test sent without awaiting them are in the sockets already: let them be seen here, and not run
  // in the next sandbox.
  await nextTurn()
  refuse()
  await endOpenWork(world, title, failures)
  world.closeLevel()
  return failures
}

/** Reports every connection that is in the middle of something, and ends it. */
async function endOpenWork(world: World, title: string, failures: unknown[]): Promise<void> {
  const { scheduler } = world
  await endAnswered(scheduler.top as VirtualConnection | undefined)
  const running = scheduler.top as VirtualConnection | undefined
  const others = new Set([...scheduler.waiting, ...world.adrift, ...scheduler.holders]) as Set<VirtualConnection>
  if (running !== undefined) others.delete(running)
  // All at once, and the one that has the session last: none of them may have its turn by another's end.
  for (const connection of others) {
    failures.push(leftBehind(title, connection))
    connection.terminate(endOfSandbox(title))
  }
  if (running === undefined) return
  failures.push(leftBehind(title, running))
  await endHolder(world, running, title)
}

function leftBehind(title: string, connection: VirtualConnection): VivariumError {
  const report = connection.units.runningText === undefined ? leftOpen : stillRunning
  return report(title, connection.id, connection.units)
}

/** A statement whose outcome the client has been told is not running for it: the test may end before the server is ready. */
export async function endAnswered(holder: VirtualConnection | undefined): Promise<void> {
  if (holder?.units.isAnswered !== true) return
  const late = (): Error => new Error(`the server was not ready ${readyDeadlineMs} ms behind its answer`)
  // Past the deadline it counts as what it is: still running.
  await withDeadline(holder.units.unitEnded(), readyDeadlineMs, late).catch(() => undefined)
}

async function endHolder(world: World, holder: VirtualConnection, title: string): Promise<void> {
  const isRunning = holder.units.runningText !== undefined
  holder.terminate(endOfSandbox(title))
  if (!isRunning) return
  try {
    if (!world.session.quiet) await world.session.cancel()
    await world.idle(cancelDeadlineMs)
  } catch (error) {
    world.break(error instanceof Error ? error : new Error(String(error)))
  }
}

/** What the client of a connection is told that its test left busy. */
export function endOfSandbox(title: string): OwnMessage {
  return {
    code: '57P01',
    message: 'terminating connection: its sandbox has been closed',
    detail: `The sandbox was "${title}".`,
    hint: 'Await every statement and end every transaction before the test ends.',
  }
}

/** What a connection was doing, for a report. */
export interface ConnectionActivity {
  /** What runs or waits to run; `undefined` between units. */
  readonly runningText: string | undefined
  /** The statement that began the open transaction. */
  readonly transactionText: string
  readonly transactionSince: number
  readonly lastText: string
}

/** The report of a statement that its test did not await. */
export function stillRunning(title: string, id: number, activity: ConnectionActivity): VivariumError {
  return new VivariumError('STATEMENT_STILL_RUNNING', {
    what: `A statement was still running on connection ${id} when the sandbox "${title}" closed; it was cancelled and its connection ended.`,
    seen: activity.runningText,
    remedy:
      'Await it in the test, or stop what sends it (a background job, a pool that is not drained) before the test ends.',
  })
}

/** The report of a transaction that its test did not end. */
export function leftOpen(title: string, id: number, activity: ConnectionActivity): VivariumError {
  const { transactionText, transactionSince, lastText } = activity
  const openFor = Math.round(now() - transactionSince)
  return new VivariumError('TRANSACTION_LEFT_OPEN', {
    what: `A transaction was still open on connection ${id} when the sandbox "${title}" closed; it was rolled back and its connection ended.`,
    seen: `it began with "${transactionText}" ${openFor} ms before; its last statement was "${lastText}"`,
    remedy:
      'Commit or roll it back before the test ends. A client checked out of a pool and never released is the usual cause.',
  })
}
