import { encodeParse, encodeQuery, syncMessage } from '../protocol/frontend.ts'
import type { Statement } from '../sql/statement.ts'
import { madeBySql } from './client-statement.ts'
import type { ClientStatement } from './client-statement.ts'
import type { ClientNames } from './client-names.ts'
import { commit, fail, rollback, withSettings } from './connection-state.ts'
import type { ConnectionState } from './connection-state.ts'
import type { DirectReplies } from './direct-replies.ts'
import { setConfigEffect } from './set-config-effect.ts'
import { endsSession, settingsSteps } from './settings.ts'
import type { Settings } from './settings.ts'
import { planStatement } from './statement-plan.ts'

/** The part of a virtual connection that its session on a real connection shares with the sandboxes before and after. */
export interface DirectOwner {
  readonly names: ClientNames
  readonly initialSettings: Settings
  state: ConnectionState
  forget(what: 'statements' | 'session'): void
}

/**
 * What a client has made of its session, followed while it talks to a real connection, so that the next sandbox's
 * connection can be made the same: settings, named statements, channels. The connection of production stays the same one
 * from test to test in the eyes of its pool; here only the database behind it changes.
 */
export class DirectSession {
  readonly #owner: DirectOwner
  /** Settings that a transaction sandbox must not have: replayed on real connections only. */
  readonly #ownSettings = new Map<string, string>()
  /** LISTEN and UNLISTEN as they were committed. */
  #channels: string[] = []
  #uncommittedChannels: string[] = []
  #settingsAtBoundary: Settings
  /** Statement names for which the real connection, not our list, says whether they exist. */
  #settledNames = new Set<string>()
  #hasFailed = false

  constructor(owner: DirectOwner) {
    this.#owner = owner
    this.#settingsAtBoundary = owner.state.settings
  }

  /** The client waits for notifications, also while it sends nothing. */
  get listens(): boolean {
    return this.#channels.some((text) => /^listen/i.test(text))
  }

  /**
   * A new real connection: everything that is to be made again on it, in order, as messages of ours. Resolves when it is
   * made; nothing need wait for that, since what is sent later runs later.
   */
  begin(
    replies: DirectReplies,
    send: (bytes: Buffer) => void,
    onFailed: (text: string, reason: string) => void,
  ): Promise<void> {
    const { state, initialSettings, names } = this.#owner
    this.#settledNames = new Set()
    this.#uncommittedChannels = []
    this.#settingsAtBoundary = state.settings
    this.#hasFailed = false
    const prepared: string[] = []
    for (const [name, statement] of names.statements) {
      if (statement.sqlPrepare === undefined) continue
      prepared.push(statement.text)
      this.#settledNames.add(name)
    }
    const texts = [
      ...settingsSteps(initialSettings, state.settings),
      ...this.#ownSettings.values(),
      ...prepared,
      ...this.#channels,
    ]
    return new Promise((resolve) => {
      let left = texts.length
      if (left === 0) resolve()
      for (const text of texts) {
        replies.await({
          until: 'query',
          hidden: 'all',
          onError: (fields) => onFailed(text, fields['M'] ?? ''),
          onReady: () => {
            left--
            if (left === 0) resolve()
          },
        })
        send(encodeQuery(text))
      }
    })
  }

  /** Makes a statement of an earlier sandbox again, ahead of a message of an extended unit that names it. */
  needStatement(name: string, replies: DirectReplies, send: (bytes: Buffer) => void): void {
    const statement = this.#unsettled(name)
    if (statement === undefined) return
    replies.await({ until: 'parse', hidden: 'answers', onSkipped: () => this.#settledNames.delete(name) })
    send(encodeParse(name, statement.text, statement.parameterTypes))
  }

  /** The same ahead of a simple Query whose text names it: EXECUTE and DEALLOCATE reach protocol-level statements too. */
  needNamedStatements(statements: readonly Statement[], replies: DirectReplies, send: (bytes: Buffer) => void): void {
    for (const statement of statements) {
      if (statement.kind !== 'execute' && statement.kind !== 'deallocate' && statement.kind !== 'prepare') continue
      const known = this.#unsettled(statement.name)
      if (known === undefined) continue
      replies.await({ until: 'parse', hidden: 'all' })
      replies.await({ until: 'sync', hidden: 'all' })
      send(encodeParse(statement.name, known.text, known.parameterTypes))
      send(syncMessage)
    }
  }

  #unsettled(name: string): ClientStatement | undefined {
    if (this.#settledNames.has(name)) return undefined
    this.#settledNames.add(name)
    return this.#owner.names.statements.get(name)
  }

  /** The client makes or drops a name itself; the returned function takes that back when the server skips it. */
  settleName(name: string): () => void {
    if (this.#settledNames.has(name)) return () => undefined
    this.#settledNames.add(name)
    return () => this.#settledNames.delete(name)
  }

  /** A statement has completed: what it did to the session. */
  completed(
    statement: Statement,
    params: readonly (string | Uint8Array | null)[],
    implicitBlock: boolean,
    nextTransactionNumber: () => number,
  ): void {
    const owner = this.#owner
    const before = owner.state
    const plan = planStatement(statement, before, {
      implicitBlock,
      startsUnit: !implicitBlock,
      sessionBeforeUnit: { settings: this.#settingsAtBoundary },
      initialSettings: owner.initialSettings,
      nextTransactionNumber,
    })
    if (plan.error === undefined) owner.state = plan.next
    if (statement.mayCallSetConfig) {
      const effect = setConfigEffect(statement.text, params, owner.state.settings)
      owner.state = withSettings(owner.state, effect.settings)
    }
    if (plan.boundary !== undefined) this.#boundary(plan.boundary === 'keep' && before.status !== 'failed')
    this.#noteNames(statement)
    this.#noteOwnSettings(statement)
    if (plan.forgets !== undefined) this.#forget(plan.forgets)
  }

  #noteNames(statement: Statement): void {
    const { names } = this.#owner
    switch (statement.kind) {
      case 'prepare': {
        names.statements.set(statement.name, madeBySql(statement, names.nextSqlStatementName()))
        this.#settledNames.add(statement.name)
        return
      }
      case 'deallocate':
        names.statements.delete(statement.name)
        return
      case 'listen':
      case 'unlisten':
        this.#uncommittedChannels.push(statement.text)
        return
      default:
    }
  }

  #noteOwnSettings(statement: Statement): void {
    if (statement.kind === 'setSessionCharacteristics') {
      this.#ownSettings.delete('session characteristics')
      this.#ownSettings.set('session characteristics', statement.text)
    } else if (statement.kind === 'set' && !statement.local && endsSession(statement.name)) {
      this.#ownSettings.set(statement.name, statement.replay)
    } else if (statement.kind === 'reset') {
      if (statement.name === 'all') this.#ownSettings.clear()
      else this.#ownSettings.delete(statement.name)
    }
  }

  #forget(what: 'statements' | 'session'): void {
    this.#owner.forget(what)
    // It has run: nothing of it is taken back.
    this.#owner.names.settle()
    if (what === 'statements') return
    this.#channels = []
    this.#uncommittedChannels = []
    this.#ownSettings.clear()
  }

  failed(): void {
    this.#hasFailed = true
    this.#owner.state = fail(this.#owner.state)
  }

  /** The server is ready: its status is the truth. */
  ready(status: string): void {
    const owner = this.#owner
    const wasOpen = owner.state.status !== 'idle'
    if (status === 'I') {
      if (owner.state.status !== 'idle') owner.state = this.#hasFailed ? rollback(owner.state) : commit(owner.state)
      else if (this.#hasFailed && !wasOpen) owner.state = withSettings(owner.state, this.#settingsAtBoundary)
      this.#boundary(!this.#hasFailed)
    } else if (status === 'E') owner.state = fail(owner.state)
    this.#hasFailed = false
  }

  /** A transaction, or the implicit one, has ended. */
  #boundary(isKept: boolean): void {
    this.#settingsAtBoundary = this.#owner.state.settings
    const channels = this.#uncommittedChannels
    this.#uncommittedChannels = []
    if (!isKept) return
    for (const text of channels) {
      if (/^unlisten\s*\*/i.test(text)) this.#channels = []
      else this.#channels = [...this.#channels.filter((known) => known !== text), text]
    }
  }
}
