import { now } from '../../core/clock.ts'
import type { FaultedCommand } from '../../core/fault-crossings.ts'
import type { Strike } from '../../core/faults.ts'
import { describeFault } from '../../core/injected-fault.ts'
import type { KnownCommand } from '../commands/command-index.ts'
import type { Reply } from '../protocol/reply.ts'
import type { Request } from '../protocol/request-parser.ts'
import { writeRequest } from '../protocol/requests.ts'
import { type CommandDraft, nameOf, observe } from './command-record.ts'
import type { Outlet } from './outlet.ts'
import type { RedisPart } from './redis-part.ts'

/** What faults need of the connection whose commands they break. */
export interface FaultedConnection {
  readonly outlet: Outlet
  /** The command and its keys, as they are recorded. */
  draftOf(request: Request, known: KnownCommand, part: RedisPart): CommandDraft
  carryOut(request: Request, known: KnownCommand, part: RedisPart): void
  /** Takes nothing more of the client. */
  takeNoMore(): void
  destroy(): void
}

/** Breaks the commands of one connection, where a fault is due. */
export class CommandFaults {
  readonly #connection: FaultedConnection
  /** A command that is not answered: what is to be done when its client gives up. */
  #givenUp: (() => void) | undefined

  constructor(connection: FaultedConnection) {
    this.#connection = connection
  }

  /** Takes the command, if a fault is to break it. Asked only while one is awaited. */
  takes(request: Request, known: KnownCommand, part: RedisPart): boolean {
    if (known.facts === undefined || known.isServerWide) return false
    const usual = this.#connection.draftOf(request, known, part)
    const crossing = crossingOf(usual)
    const { command, args } = crossing
    const strike = part.owner.recorder.faults.strike('redis', crossing, () =>
      [command, ...args].join(' ').slice(0, 100),
    )
    if (strike === undefined) return false
    this.#break({ ...usual, fault: strike.injected }, strike, { request, known, part })
    return true
  }

  clientGone(): void {
    this.#givenUp?.()
    this.#givenUp = undefined
  }

  #break(
    draft: CommandDraft,
    strike: Strike,
    { request, known, part }: { request: Request; known: KnownCommand; part: RedisPart },
  ): void {
    const connection = this.#connection
    const { outlet } = connection
    if (strike.kind === 'fails') return outlet.fail(errorOf(strike), { name: known.name, part, draft })
    const recordUnanswered = (): void => {
      const reply: Reply = { type: '-', text: `the command ${describeFault(strike)}, as a fault has it` }
      part.owner.recorder.record(observe(draft, { type: '-', number: undefined, reply, at: now() }))
    }
    const isLost = strike.kind === 'losesConnection'
    if (strike.moment === 'after') {
      const told = (reply: Reply | undefined): void => {
        // The others are recorded with their reply.
        if (known.name === 'exec' || isQueued(reply)) recordUnanswered()
        if (isLost) connection.destroy()
      }
      outlet.unheard({ swallowed: true, told, draft }, () => connection.carryOut(request, known, part))
    } else if (isLost) {
      const told = (): void => {
        recordUnanswered()
        connection.destroy()
      }
      // Behind what was sent before, whose replies are the client's.
      outlet.write(writeRequest(['PING']), { name: '', swallowed: true, told })
    }
    connection.takeNoMore()
    if (isLost) return
    const forget = part.owner.recorder.faults.hold(strike, () => connection.destroy())
    this.#givenUp = () => {
      forget()
      if (strike.moment === 'before') recordUnanswered()
    }
  }
}

function crossingOf(draft: CommandDraft): FaultedCommand {
  const { args, keys } = observe(draft, { type: undefined, number: undefined, reply: undefined, at: draft.sentAt })
  return { command: nameOf(draft), args, keys }
}

/** A text with the code that it begins with, as the server says it: `OOM command not allowed …`. */
function errorOf({ failure, injected }: Strike): string {
  return typeof failure === 'string' ? failure : `ERR the command failed (a fault, set at ${injected.setAt})`
}

function isQueued(reply: Reply | undefined): boolean {
  return reply?.type === '+' && reply.text === 'QUEUED'
}
