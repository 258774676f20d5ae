import { now } from '../../core/clock.ts'
import type { FidelityWarning } from '../../core/interactions.ts'
import { VivariumError } from '../../core/errors.ts'
import type { OwnMessage } from '../protocol/server-message.ts'
import type { LostWork } from './frames.ts'

/** What a message about several connections says of one of them. */
export interface ContendingConnection {
  readonly id: number
  readonly statusByte: 'I' | 'T' | 'E'
  readonly units: {
    /** The statement that runs or waits to run now. */
    readonly runningText: string | undefined
    /** The last one that is done. */
    readonly lastText: string
    readonly transactionText: string
    readonly transactionSince: number
  }
}

/** A statement in a message: whole, unless it is very long. */
export function quoteStatement(text: string): string {
  const short = text.replaceAll(/\s+/g, ' ').trim()
  return `"${short.length > 200 ? `${short.slice(0, 200)}…` : short}"`
}

/** What a client is told that waited for another connection until nothing happened for too long. */
export function waitExpired(waiter: ContendingConnection, blocker: ContendingConnection, waitMs: number): OwnMessage {
  return {
    code: '55P03',
    message:
      `connection ${waiter.id} waited ${waitMs} ms for connection ${blocker.id} of the same sandbox, which did nothing ` +
      'meanwhile (CONNECTION_WAIT_TIMEOUT)',
    detail:
      `Connection ${waiter.id} wants to run ${quoteStatement(waiter.units.runningText ?? '')}${standing(waiter)}. ` +
      `${occupation(blocker)}. In isolation "transaction" all connections of a sandbox share one session.`,
    hint:
      `Let connection ${blocker.id} end what it has begun before connection ${waiter.id} is awaited, or run both statements ` +
      'on one connection. Connections that wait for each other, or work at the same time, need isolation "database".',
  }
}

function standing({ statusByte, units }: ContendingConnection): string {
  return statusByte === 'I' ? '' : ` in the transaction that it began with ${quoteStatement(units.transactionText)}`
}

function occupation({ id, statusByte, units }: ContendingConnection): string {
  if (units.runningText !== undefined) {
    return `Connection ${id} is in the middle of ${quoteStatement(units.runningText)}, which waits for its client`
  }
  const since = Math.round(now() - units.transactionSince)
  const state = statusByte === 'E' ? 'a failed transaction' : 'a transaction'
  return (
    `Connection ${id} has been inside ${state} for ${since} ms (${quoteStatement(units.transactionText)}); its last ` +
    `statement was ${quoteStatement(units.lastText)}`
  )
}

/** One connection's statement ran inside another one's transaction. */
export function nestedConnection(
  guest: { readonly id: number; readonly text: string },
  host: { readonly id: number; readonly text: string },
  lacks: { readonly settings: boolean; readonly constraints: boolean },
): FidelityWarning {
  const constraints = lacks.constraints
    ? ` Connection ${host.id} violates a deferred constraint just now, so those of connection ${guest.id} are checked at its COMMIT only.`
    : ''
  const settings = lacks.settings
    ? ` What connection ${host.id} has set for its transaction with a computed name or value is not set any more.`
    : ''
  return {
    component: 'postgres',
    kind: 'nested-connection',
    message:
      `${quoteStatement(guest.text)} on connection ${guest.id} ran inside the transaction that connection ${host.id} has ` +
      `open (its last statement: ${quoteStatement(host.text)}): it saw that one's uncommitted work, and would be lost with ` +
      `it. In production the two are independent; isolation "database" shows what they do then.${settings}${constraints}`,
    text: guest.text,
  }
}

/** A connection was told that its work is committed, and it is gone. */
export function committedWorkLost({ lost, by, reason }: LostWork): VivariumError {
  const owners = [...new Set(lost.map(({ owner }) => owner.id))]
  const texts = lost.map(({ owner, text }) => `${quoteStatement(text)} on connection ${owner.id}`)
  return new VivariumError('COMMITTED_WORK_LOST', {
    what:
      `Connection ${owners.join(' and ')} committed work inside the transaction of connection ${by?.id ?? '?'}, ` +
      `which then rolled back (${reason}): the committed work is gone, and in production it would be there.`,
    seen: texts.join('; '),
    remedy:
      "Run this test in isolation 'database', where the two have transactions of their own; or run both statements on one " +
      'connection, if they belong together.',
  })
}
