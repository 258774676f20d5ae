import fc from 'fast-check'
import { SandboxFailures } from '../../src/index.ts'
import type { Vivarium } from '../../src/index.ts'
import { openTestVivarium } from '../support/vivarium.ts'
import { cancel, connect, rowsOf } from '../support/wire.ts'
import { check, type FuzzResult, type FuzzRun, type Trouble } from './check.ts'
import type { Coverage } from './coverage.ts'
import { describeMessage, type Message, messageKinds } from './messages.ts'
import { hangs, Peer } from './peer.ts'
import { lookText } from './plain-side.ts'
import { statement } from './sql-atoms.ts'

type Act =
  | { readonly do: 'run'; readonly text: string }
  /** Sent behind a statement that may be waiting for another connection. */
  | { readonly do: 'behind'; readonly text: string; readonly messages: readonly Message[] }
  | { readonly do: 'cancel'; readonly text: string }
  | { readonly do: 'leave'; readonly text: string; readonly how: 'terminate' | 'vanish' }

const behind: fc.Arbitrary<Message> = fc.constantFrom<Message>(
  ...messageKinds.flatMap((kind): Message[] => {
    switch (kind) {
      case 'query':
        return [{ kind, text: 'select 2' }]
      case 'parse':
        return [{ kind, name: '', text: 'select 3' }]
      case 'bind':
        return [{ kind, portal: '', statement: '', values: [] }]
      case 'describe':
        return [{ kind, what: 'portal', name: '' }]
      case 'execute':
        return [{ kind, portal: '', limit: 0 }]
      case 'close':
        return [{ kind, what: 'statement', name: '' }]
      case 'functionCall':
        return [{ kind, oid: 177, values: ['1', '2'] }]
      case 'copyData':
        return [{ kind, data: 'x' }]
      case 'copyFail':
        return [{ kind, reason: 'no copy' }]
      case 'terminate':
        return []
      default:
        return [{ kind }]
    }
  }),
)

const text = statement.map((one) => one.replaceAll('{c}', '_contended'))
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 10, arbitrary: text.map((one) => ({ do: 'run' as const, text: one })) },
  { weight: 4, arbitrary: fc.constant({ do: 'run' as const, text: 'begin' }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('behind' as const),
      text,
      messages: fc.array(behind, { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), text }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('leave' as const),
      text,
      how: fc.constantFrom('terminate' as const, 'vanish' as const),
    }),
  },
)
const script = fc.array(fc.array(act, { minLength: 1, maxLength: 6 }), { minLength: 2, maxLength: 4 })

/**
 * Several connections act at once, each in its own order. What each is told depends on the moment, so only this is
 * demanded: everything is answered, closing reports or is clean, and nothing is left for the next sandbox.
 */
export async function fuzzContention(run: FuzzRun, coverage: Coverage): Promise<FuzzResult> {
  // Short waits: a mutual wait is an answer here like any other.
  await using vivarium = await openTestVivarium({ nestAfterMs: 2, waitMs: 60 })
  const look = async (): Promise<string> => {
    const sandbox = await vivarium.openSandbox({ title: 'a look between' })
    const wire = await connect(vivarium.postgres.url)
    const rows = rowsOf(await wire.query(lookText))
    await wire.end()
    await sandbox.close()
    return JSON.stringify(rows)
  }
  const untouched = await look()
  return await check(run, script, async (connections) => {
    const contended = new Contended(vivarium, coverage)
    const difference = await contended.play(connections)
    if (difference !== undefined) return trouble(connections, difference)
    const left = await look()
    return left === untouched ? undefined : trouble(connections, `the next sandbox sees ${left}, not ${untouched}`)
  })
}

class Contended {
  readonly #vivarium: Vivarium
  readonly #coverage: Coverage
  readonly #peers = new Set<Peer>()

  constructor(vivarium: Vivarium, coverage: Coverage) {
    this.#vivarium = vivarium
    this.#coverage = coverage
  }

  async play(connections: readonly (readonly Act[])[]): Promise<string | undefined> {
    const sandbox = await this.#vivarium.openSandbox({ title: 'a contention script' })
    const problems = await Promise.all(connections.map((acts, index) => this.#connection(acts, index + 1)))
    for (const peer of this.#peers) peer.wire.socket.destroy()
    try {
      await sandbox.close()
    } catch (error) {
      const codes =
        error instanceof SandboxFailures ? error.errors.map((one) => String((one as { code?: unknown }).code)) : []
      const unexpected = codes.filter((code) => !reportable.includes(code))
      if (codes.length === 0 || unexpected.length > 0) problems.push(`closing: ${String(error)} ${unexpected.join()}`)
    }
    return problems.find((problem) => problem !== undefined)
  }

  async #connection(acts: readonly Act[], number: number): Promise<string | undefined> {
    const peer = new Peer(await connect(this.#vivarium.postgres.url))
    this.#peers.add(peer)
    for (const act of acts) {
      this.#send(peer, [{ kind: 'query', text: act.text }])
      if (act.do === 'behind') this.#send(peer, [...act.messages, { kind: 'sync' }])
      if (act.do === 'cancel') {
        this.#coverage.count(this.#place(peer), 'cancel')
        await cancel(this.#vivarium.postgres.url, peer.wire)
      }
      if (act.do === 'leave') {
        if (act.how === 'terminate') this.#send(peer, [{ kind: 'terminate' }])
        else {
          this.#coverage.count(this.#place(peer), 'vanish')
          await peer.wire.vanish()
        }
        this.#peers.delete(peer)
        if (act.how === 'vanish') return undefined
        const goodbye = await peer.goodbye()
        return hangs(goodbye) ? `connection ${number} was never closed` : undefined
      }
      const answers = await peer.answers()
      if (hangs(answers)) return `connection ${number} never got an answer to "${act.text}"`
      if (peer.isClosed) break
    }
    this.#peers.delete(peer)
    peer.wire.socket.destroy()
    return undefined
  }

  #send(peer: Peer, messages: readonly Message[]): void {
    for (const message of messages) {
      this.#coverage.count(this.#place(peer), message.kind)
      peer.expectations.sent(message)
    }
    peer.write(messages)
  }

  /** What is sent behind an unanswered statement while another connection is inside a transaction waits with it. */
  #place(peer: Peer): Peer['expectations']['standing'] | 'waiting' {
    const { standing } = peer.expectations
    const others = [...this.#peers].some((other) => other !== peer && other.expectations.standing.status !== 'I')
    return standing.behind && others ? 'waiting' : standing
  }
}

/** What closing may say of scripts that end in the middle of a transaction, or undo another one's work. */
const reportable: readonly string[] = ['TRANSACTION_LEFT_OPEN', 'STATEMENT_STILL_RUNNING', 'COMMITTED_WORK_LOST']

function trouble(connections: readonly (readonly Act[])[], difference: string): Trouble {
  const lines = connections.flatMap((acts, index) =>
    acts.map((one) => {
      const more = one.do === 'behind' ? `, behind it ${one.messages.map(describeMessage).join(', ')}` : ''
      const end = one.do === 'leave' ? `, then it ${one.how}s` : one.do === 'cancel' ? ', and a cancel' : ''
      return `connection ${index + 1}: \`${one.text}\`${more}${end}`
    }),
  )
  return { lines, difference }
}
