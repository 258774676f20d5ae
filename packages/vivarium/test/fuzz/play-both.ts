import type { Isolation } from '../../src/core/options.ts'
import type { Sandbox, Vivarium } from '../../src/index.ts'
import { compare, renderDifferences } from '../differential/compare.ts'
import { everyConnection } from '../differential/every-connection.ts'
import { type Answer, connect, rowsOf, type WireConnection, WireError } from '../support/wire.ts'
import type { Coverage } from './coverage.ts'
import { describeMessage, type Message, parameterCount } from './messages.ts'
import { hangs, Peer } from './peer.ts'
import { lookText, type PlainSide } from './plain-side.ts'
import type { FuzzScript, Step } from './script.ts'

/** What a script is played on. */
export interface Sides {
  readonly vivarium: Vivarium
  readonly plain: PlainSide
  readonly isolation: Isolation
  readonly coverage: Coverage
  /** Tables with a larger OID were made by a script. */
  readonly lastTemplateOid: number
}

/** How a script went: what was sent, for a reader, and the first thing that differed. */
export interface Outcome {
  readonly lines: readonly string[]
  readonly difference: string | undefined
}

/** What a server answers at once. */
const asking: readonly Message['kind'][] = ['query', 'functionCall', 'sync', 'flush']

const transactionCommand = /^(?:begin|start|commit|end|rollback|abort|savepoint|release|set|reset|discard|deallocate)\b/

class Mismatch extends Error {}

interface Pair {
  readonly plain: Peer
  readonly sandboxed: Peer
  /** Number of the connection, and how many had the number before it. */
  readonly tag: string
  /** Parameters of its prepared statements. */
  readonly parameters: Map<string, number>
  /** Its prepared statements that are transaction commands. */
  readonly commands: Set<string>
  /** What each side has told its client of settings. */
  readonly told: { readonly plain: Map<string, string>; readonly sandboxed: Map<string, string> }
  /** A statement was executed since the last Sync. */
  executed: boolean
  /** The unnamed portal was bound since the last simple Query. */
  hasUnnamedPortal: boolean
}

/** Plays a script on a sandbox and on the plain database, step by step, until something differs. */
export async function playBoth(script: FuzzScript, sides: Sides): Promise<Outcome> {
  const play = new Play(script, sides)
  try {
    await play.run()
    return { lines: play.lines, difference: undefined }
  } catch (error) {
    if (error instanceof Mismatch) return { lines: play.lines, difference: error.message }
    throw new Error(`the script could not be played:\n${play.lines.join('\n')}`, { cause: error })
  } finally {
    await play.end()
  }
}

class Play {
  readonly lines: string[] = []
  readonly #script: FuzzScript
  readonly #sides: Sides
  readonly #pairs: (Pair | undefined)[]
  readonly #generations: number[]
  #sandbox: Sandbox | undefined
  #observer: WireConnection | undefined

  constructor(script: FuzzScript, sides: Sides) {
    this.#script = script
    this.#sides = sides
    this.#pairs = Array.from({ length: script.connections }, () => undefined)
    this.#generations = Array.from({ length: script.connections }, () => 0)
  }

  async run(): Promise<void> {
    await this.#openSandbox()
    for (const step of this.#script.steps) await this.#step(step)
    await this.#closeSandbox()
  }

  /** Leaves both sides as they were. */
  async end(): Promise<void> {
    const { plain } = this.#sides
    const left = this.#pairs.filter((pair) => pair !== undefined)
    for (const { sandboxed } of left) sandboxed.wire.socket.destroy()
    this.#observer?.socket.destroy()
    // It has a defect to report of its own, when the play has found none.
    await this.#sandbox?.close().catch(() => undefined)
    const idle = left.filter(({ plain: peer }) => peer.expectations.isIdle && !peer.isClosed)
    await plain.discard(left.filter((pair) => !idle.includes(pair)).map((pair) => pair.plain.wire))
    for (const pair of idle) await plain.giveBack(pair.plain.wire)
  }

  async #openSandbox(): Promise<void> {
    await this.#sides.plain.reset()
    this.#sandbox = await this.#sides.vivarium.openSandbox({ title: 'a fuzz script', isolation: this.#sides.isolation })
  }

  async #closeSandbox(): Promise<void> {
    for (const pair of this.#pairs) if (pair !== undefined) await this.#settle(pair)
    const plain = await this.#sides.plain.look()
    this.#observer ??= await connect(this.#sides.vivarium.postgres.url)
    const sandboxed = rowsOf(await this.#observer.query(lookText, 5_000).catch(asMismatch('looking at what is left')))
    const [left, right] = [plain, sandboxed].map((rows) => rows.map((row) => row.join(' ')))
    if (left?.join('\n') !== right?.join('\n')) {
      const only = (a: string[] = [], b: string[] = []): string => a.filter((row) => !b.includes(row)).join(', ')
      throw new Mismatch(
        `what is left differs\n  only on the plain database: ${only(left, right)}\n  only in the sandbox: ${only(right, left)}`,
      )
    }
    const sandbox = this.#sandbox
    this.#sandbox = undefined
    await sandbox?.close().catch(asMismatch('closing the sandbox'))
  }

  async #step(step: Step): Promise<void> {
    if (step.do === 'next sandbox') {
      await this.#closeSandbox()
      this.lines.push('— the next sandbox —')
      for (const pair of this.#pairs) if (pair !== undefined) await this.#sides.plain.forgetSession(pair.plain.wire)
      await this.#openSandbox()
      return
    }
    // Others would wait for the locks of a connection that is inside a transaction: only that one goes on.
    const holder = this.#pairs.findIndex((pair) => pair !== undefined && !pair.plain.expectations.isIdle)
    const on = holder === -1 ? step.on % this.#script.connections : holder
    const pair = (this.#pairs[on] ??= await this.#connect(on))
    switch (step.do) {
      case 'send':
        return this.#send(on, pair, step.messages)
      case 'copyIn':
        return this.#copyIn(on, pair, step)
      case 'leave':
        if (step.how === 'terminate') return this.#send(on, pair, [{ kind: 'terminate' }])
        return this.#vanish(on, pair)
    }
  }

  async #connect(on: number): Promise<Pair> {
    const generation = (this.#generations[on] = (this.#generations[on] ?? 0) + 1)
    const [plain, sandboxed] = await Promise.all([
      this.#sides.plain.take(),
      connect(this.#sides.vivarium.postgres.url).catch(asMismatch('connecting')),
    ])
    return {
      plain: new Peer(plain),
      sandboxed: new Peer(sandboxed),
      tag: `${on}_${generation}`,
      parameters: new Map(),
      commands: new Set(),
      told: { plain: toldAtStart(plain), sandboxed: toldAtStart(sandboxed) },
      executed: false,
      hasUnnamedPortal: false,
    }
  }

  async #vanish(on: number, pair: Pair): Promise<void> {
    this.#sides.coverage.count(pair.plain.expectations.standing, 'vanish')
    this.#say(on, 'vanishes')
    this.#pairs[on] = undefined
    // The plain side says that it ends and waits: only so is it known when the server has undone its work.
    pair.plain.wire.socket.end()
    await Promise.all([pair.plain.goodbye(), pair.sandboxed.wire.vanish()])
    pair.plain.wire.socket.destroy()
  }

  async #copyIn(on: number, pair: Pair, step: Extract<Step, { do: 'copyIn' }>): Promise<void> {
    const { text, by, data, end } = step
    const asked: Message[] = [
      { kind: 'parse', name: 'copying', text },
      { kind: 'bind', portal: '', statement: 'copying', values: [] },
      { kind: 'execute', portal: '', limit: 0 },
      { kind: by === 'flush' ? 'flush' : 'sync' },
    ]
    await this.#send(on, pair, by === 'query' ? [{ kind: 'query', text }] : asked)
    if (!pair.plain.expectations.standing.copying || this.#pairs[on] === undefined) return
    if (end === undefined) return this.#vanish(on, pair)
    const finishes = end.kind === 'copyDone' || end.kind === 'copyFail'
    const rest: Message[] = finishes && by !== 'query' ? [end, { kind: 'sync' }] : [end]
    // Behind data that the server has refused the rest is no break of the COPY any more: which comes first is a race.
    await this.#send(on, pair, finishes ? [...data, ...rest] : rest, !finishes)
  }

  /** Ends whatever is open on a connection. */
  async #settle(pair: Pair): Promise<void> {
    const on = this.#pairs.indexOf(pair)
    if (pair.plain.expectations.standing.unitOpen) await this.#send(on, pair, [{ kind: 'sync' }])
    if (pair.plain.expectations.standing.status !== 'I') {
      await this.#send(on, pair, [{ kind: 'query', text: 'rollback' }])
    }
  }

  async #send(on: number, pair: Pair, sent: readonly Message[], closes = false): Promise<void> {
    const { copying, status } = pair.plain.expectations.standing
    const messages = this.#made(pair, sent)
    const last = messages.at(-1)?.kind
    if (last === undefined) return
    const ends = closes || last === 'terminate'
    // What is behind the last thing that is asked for is answered now or later, as the server likes.
    const isAnswered = copying || messages.some(({ kind }) => asking.includes(kind))
    if (isAnswered && !ends && !asking.includes(last)) messages.push({ kind: 'flush' })
    const { coverage } = this.#sides
    const first = this.lines.length
    for (const message of messages) {
      coverage.count(pair.plain.expectations.standing, message.kind)
      this.#say(on, describeMessage(message))
      pair.plain.expectations.sent(message)
    }
    const step = this.lines.slice(first).join('\n  ')
    pair.plain.write(messages)
    pair.sandboxed.send(messages)
    if (ends) {
      const [plain, sandboxed] = await Promise.all([pair.plain.goodbye(), pair.sandboxed.goodbye()])
      this.#pairs[on] = undefined
      // Who says goodbye does not read what is still said.
      if (last !== 'terminate') this.#compare(step, plain, sandboxed)
      return
    }
    if (!isAnswered) return
    const [plain, sandboxed] = await Promise.all([pair.plain.answers(), pair.sandboxed.answers()])
    if (pair.plain.isClosed) this.#pairs[on] = undefined
    this.#compare(step, withoutRefusals(plain, status), withoutRefusals(sandboxed, status))
    this.#compareTold(step, pair, plain, sandboxed)
    if (hangs(plain)) throw new Mismatch(`both sides owe an answer to\n  ${step}`)
  }

  /** The messages with what depends on the connection put in. */
  #made(pair: Pair, sent: readonly Message[]): Message[] {
    const own = (text: string): string => text.replaceAll('{c}', pair.tag)
    const { standing } = pair.plain.expectations
    let { skipping } = standing
    let bindFails = false
    /**
     * A simple Query that fails in a transaction leaves its own unnamed portal behind, on which PostgreSQL 18.4 crashes
     * when it is executed: where that may be, only a portal bound just before is.
     */
    const mayBeFailed = standing.status === 'E' || sent.some(({ kind }) => kind === 'query')
    if (mayBeFailed && !standing.unitOpen) pair.hasUnnamedPortal = false
    return sent.flatMap((message): Message | Message[] => {
      if (message.kind === 'sync') {
        pair.executed = skipping = false
        if (mayBeFailed) pair.hasUnnamedPortal = false
      }
      if (message.kind === 'execute') pair.executed = true
      switch (message.kind) {
        case 'query':
        case 'functionCall': {
          const made = message.kind === 'query' ? { ...message, text: own(message.text) } : message
          // PostgreSQL 18 leaves its implicit transaction open behind such a Query and says `T`; nobody sends one.
          const isQuirk = pair.executed && !skipping && !standing.copying
          pair.executed = false
          pair.hasUnnamedPortal = false
          return isQuirk ? [{ kind: 'sync' }, made] : made
        }
        case 'parse':
          pair.parameters.set(message.name, parameterCount(message.text))
          if (transactionCommand.test(message.text)) pair.commands.add(message.name)
          else if (message.name === '') pair.commands.delete('')
          return { ...message, text: own(message.text) }
        case 'bind': {
          if (message.portal === '' || message.values.includes('x') || pair.commands.has(message.statement)) {
            pair.hasUnnamedPortal = true
          }
          const count = message.all === true ? message.values.length : (pair.parameters.get(message.statement) ?? 0)
          const values = message.values.slice(0, count)
          // A value that cannot be read fails a Bind that has made its portal already: a named one would stay behind.
          // So does that of a command, until a savepoint before it is gone back to.
          bindFails ||= values.includes('x')
          const isUnnamed = values.includes('x') || pair.commands.has(message.statement)
          return { ...message, values, portal: isUnnamed ? '' : message.portal }
        }
        case 'describe':
        case 'execute': {
          const portal = message.kind === 'execute' || message.what === 'portal' ? portalOf(message) : undefined
          // What a portal that has failed looks like is nobody's business.
          if (message.kind === 'describe' && portal !== undefined && (standing.status === 'E' || bindFails)) return []
          return portal === '' && !pair.hasUnnamedPortal && mayBeFailed ? [] : message
        }
        default:
          return message
      }
    })
  }

  #compare(step: string, plain: readonly Answer[], sandboxed: readonly Answer[]): void {
    // What was told of settings is compared when the transaction is over: see `#compareTold`.
    const normal = (answers: readonly Answer[]): Answer[] =>
      answers.filter(({ code }) => code !== 'S').map((answer) => this.#normal(answer))
    const { differences } = compare(
      [{ step, answers: normal(plain) }],
      [{ step, answers: normal(sandboxed) }],
      everyConnection,
    )
    if (differences.length > 0) throw new Mismatch(renderDifferences(differences))
  }

  /**
   * What a client was told of its settings is the same whenever no transaction is open. Within one it is not: a failure
   * takes settings back at once on the plain server, and with the ROLLBACK in a sandbox that set the mode in a savepoint.
   */
  #compareTold(
    step: string,
    { told, plain: peer }: Pair,
    plain: readonly Answer[],
    sandboxed: readonly Answer[],
  ): void {
    const note = (settings: Map<string, string>, answers: readonly Answer[]): void => {
      for (const { code, fields } of answers)
        if (code === 'S') settings.set(String(fields['name']), String(fields['value']))
    }
    note(told.plain, plain)
    note(told.sandboxed, sandboxed)
    if (!peer.expectations.isIdle || peer.isClosed) return
    for (const [name, value] of told.plain) {
      const other = told.sandboxed.get(name)
      if (other !== value)
        throw new Mismatch(`${step}\n  the client was told of ${name}\n    plain: ${value}\n    other: ${other}`)
    }
  }

  /** OIDs of what a script made come from one counter of the whole server. */
  #normal(answer: Answer): Answer {
    if (answer.code !== 'T') return answer
    const columns = (answer.fields['columns'] as { tableOid: number }[]).map((column) => ({
      ...column,
      tableOid: Math.min(column.tableOid, this.#sides.lastTemplateOid + 1),
    }))
    return { ...answer, fields: { columns } }
  }

  #say(on: number, what: string): void {
    this.lines.push(`${this.#script.connections > 1 ? `connection ${on + 1}: ` : ''}${what}`)
  }
}

function toldAtStart(wire: WireConnection): Map<string, string> {
  const reports = wire.startupAnswers.filter(({ code }) => code === 'S')
  return new Map(reports.map(({ fields }) => [String(fields['name']), String(fields['value'])]))
}

function portalOf(message: Extract<Message, { kind: 'describe' | 'execute' }>): string {
  return message.kind === 'execute' ? message.portal : message.name
}

/**
 * The answers without what no client depends on. In a failed transaction a portal or a Bind is refused because of that,
 * or because the portal has failed or was never made: a failed simple Query leaves its own unnamed portal behind.
 */
function withoutRefusals(answers: readonly Answer[], statusBefore: string): Answer[] {
  let status = statusBefore
  return answers.flatMap((answer) => {
    const { C: code, R: routine, ...fields } = answer.fields
    // Each session has a schema of its own for temporary tables.
    if (String(fields['s']).startsWith('pg_temp_')) return { ...answer, fields: { ...answer.fields, s: 'pg_temp' } }
    if (answer.code === 'Z') status = String(answer.fields['status'])
    // The server says it of a portal that was made in a failed transaction and never run.
    if (answer.code === 'N' && routine === 'AtCleanup_Portals') return []
    if (answer.code !== 'E') return answer
    if (status === 'E' && refusals.includes(String(code))) return { ...answer, fields: {} }
    // Of two things that are wrong with one message the server may see the other one first.
    if (doubleFaults.includes(String(code))) return { ...answer, fields: {} }
    // Who says it depends on whether the statement had to be prepared again.
    return code === '25P02' ? { ...answer, fields: { ...fields, C: code } } : answer
  })
}

const refusals: readonly string[] = ['25P02', '34000', '55000', '08P01']
const doubleFaults: readonly string[] = ['08P01', '42P03']

function asMismatch(doing: string): (error: unknown) => never {
  return (error) => {
    const words = error instanceof AggregateError ? error.errors.map(String).join('; ') : String(error)
    if (error instanceof WireError || error instanceof Error) throw new Mismatch(`${doing} failed: ${words}`)
    throw error
  }
}
