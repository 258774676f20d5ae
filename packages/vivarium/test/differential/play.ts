import {
  type Answer,
  connect,
  type ConnectOptions,
  type WireConnection,
  WireError,
  type WireTarget,
} from '../support/wire.ts'
import { look } from './look.ts'
import type { Script, Step } from './script.ts'

/** What a side answered to one step; the first step is the start-up, the last ones look at what is left. */
export interface StepAnswers {
  readonly step: string
  readonly answers: readonly Answer[]
}

/** Long for a loaded machine, and short enough that a side that hangs is a finding, not a test that timed out. */
const deadlineMs = 5_000

/** Plays a script on one side and writes down every answer. */
export async function play(where: WireTarget | string, script: Script): Promise<StepAnswers[]> {
  const options: ConnectOptions = script.startup === undefined ? {} : { parameters: script.startup }
  const connection = await connect(where, options)
  const played: StepAnswers[] = [{ step: 'start-up', answers: connection.startupAnswers }]
  try {
    for (const [index, step] of script.steps.entries()) {
      played.push({ step: `step ${index + 1} ${describe(step)}`, answers: await answersTo(connection, step) })
      if (connection.isClosed || gaveUp(played)) break
    }
    if (!connection.isClosed && !gaveUp(played)) {
      // How ROLLBACK answers is for the scripts to say; here it only ends what may be open.
      await connection.query('rollback', deadlineMs)
      played.push({ step: 'what the same connection sees afterwards', answers: await answersTo(connection, look) })
      await connection.end()
    }
  } finally {
    connection.socket.destroy()
  }
  const second = await connect(where)
  try {
    played.push({ step: 'what a new connection sees afterwards', answers: await answersTo(second, look) })
    await second.end()
  } finally {
    second.socket.destroy()
  }
  return played
}

/** A wait that failed is an answer too: the other side must fail the same way. */
async function answersTo(connection: WireConnection, step: Step): Promise<readonly Answer[]> {
  try {
    connection.send(step.send)
    return await connection.until(step.until, step.count, deadlineMs)
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    const how = connection.isClosed ? 'ConnectionClosed' : 'NothingMoreCame'
    return [...connection.take(), { type: how, code: '', fields: { waitedFor: `${step.count} × ${step.until}` } }]
  }
}

function gaveUp(played: readonly StepAnswers[]): boolean {
  return played.at(-1)?.answers.at(-1)?.type === 'NothingMoreCame'
}

function describe(step: Step): string {
  const text = step.send
    .subarray(0, 100)
    .toString('latin1')
    .replaceAll(/[^\x20-\x7e]+/g, ' ')
  return `(${text.trim()}${step.send.length > 100 ? '…' : ''})`
}
