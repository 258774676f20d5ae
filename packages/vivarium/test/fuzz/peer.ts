import { type Answer, type WireConnection, WireError } from '../support/wire.ts'
import { Expectations } from './expectations.ts'
import { encode, type Message } from './messages.ts'

/** Long for a loaded machine, and short enough that a side that hangs is a finding. */
const deadlineMs = 5_000

/** One client of one side, and what it is still owed. */
export class Peer {
  readonly wire: WireConnection
  readonly expectations: Expectations = new Expectations()
  /** How many of the answers that wait have been told to the expectations. */
  #seen = 0

  constructor(wire: WireConnection) {
    this.wire = wire
  }

  get isClosed(): boolean {
    return this.wire.isClosed
  }

  send(messages: readonly Message[]): void {
    for (const message of messages) this.expectations.sent(message)
    this.write(messages)
  }

  /** Sends what the expectations have been told of one by one. */
  write(messages: readonly Message[]): void {
    this.wire.send(...messages.map(encode))
  }

  /** All answers that are owed; a wait that failed is an answer, too: the other side must fail the same way. */
  async answers(): Promise<Answer[]> {
    try {
      await this.wire.whenArrived((arrived) => this.#isMet(arrived), 'what is owed', deadlineMs)
      return this.#take()
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      return [...this.#take(), ended(this.isClosed)]
    }
  }

  /** Everything up to the end of the connection. */
  async goodbye(): Promise<Answer[]> {
    try {
      return [...(await this.wire.untilClosed(deadlineMs)), ended(true)]
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      return [...this.#take(), ended(false)]
    }
  }

  #isMet(arrived: readonly Answer[]): boolean {
    for (; this.#seen < arrived.length; this.#seen++) this.expectations.received(arrived[this.#seen] as Answer)
    return this.expectations.isMet
  }

  #take(): Answer[] {
    this.#seen = 0
    return this.wire.take()
  }
}

function ended(closed: boolean): Answer {
  return { type: closed ? 'ConnectionClosed' : 'NothingMoreCame', code: '', fields: {} }
}

/** Whether a wait ended because nothing came. */
export function hangs(answers: readonly Answer[]): boolean {
  return answers.at(-1)?.type === 'NothingMoreCame'
}
