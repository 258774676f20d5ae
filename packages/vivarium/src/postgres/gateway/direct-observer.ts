import { now } from '../../core/clock.ts'
import { readCString } from '../protocol/backend.ts'
import { Frontend } from '../protocol/message-types.ts'
import type { MessageFields } from '../protocol/server-message.ts'
import type { Statement } from '../sql/statement.ts'
import { mayHaveChanged } from './changes-nothing.ts'
import { readBindNames, readBindValues } from './client-statement.ts'
import type { ClientPortal, ClientStatement } from './client-statement.ts'
import type { DatabaseWorld } from './database-world.ts'
import type { DirectReplies } from './direct-replies.ts'
import type { DirectOwner, DirectSession } from './direct-session.ts'
import type { Frame } from './extended-protocol.ts'
import { recordCompleted, recordFailed } from './query-record.ts'
import { isVirtualKind } from './statement-texts.ts'
import type { StatementTexts } from './statement-texts.ts'

/** What the observer knows of the client. */
export interface ObservedClient extends DirectOwner {
  readonly id: number
  /** Its statements are Vivarium's, not the application's. */
  readonly isOwn: boolean
  readonly texts: StatementTexts
}

interface Portal {
  readonly statement: ClientStatement | undefined
  readonly params: ClientPortal['params']
}

/**
 * Reads what a client sends on a real connection, without changing it: records its statements, and tells the session
 * what they did. Says to `replies` what each message's answer is.
 */
export class DirectObserver {
  /** The statement that began the open transaction, for reports. */
  transactionText = ''
  transactionSince = 0
  /** The last statement, for reports. */
  lastText = ''
  /** Extended messages were sent that no Sync has followed. */
  isInUnit = false
  readonly #client: ObservedClient
  readonly #session: DirectSession
  readonly #world: DatabaseWorld
  readonly #replies: DirectReplies
  readonly #send: (bytes: Buffer) => void
  /** Statements that were sent and are not known to exist yet. */
  readonly #sent = new Map<string, ClientStatement>()
  readonly #portals = new Map<string, Portal>()
  /** Statements that the running unit has executed. */
  #executed = 0
  #startedAt = 0

  constructor(parts: {
    client: ObservedClient
    session: DirectSession
    world: DatabaseWorld
    replies: DirectReplies
    send: (bytes: Buffer) => void
  }) {
    this.#client = parts.client
    this.#session = parts.session
    this.#world = parts.world
    this.#replies = parts.replies
    this.#send = parts.send
  }

  /** Takes note of a message that is about to be sent as it is. */
  see(frame: Frame): void {
    if (this.#replies.isQuiet) this.#startedAt = now()
    if (frame.type === Frontend.query || frame.type === Frontend.functionCall) this.isInUnit = false
    switch (frame.type) {
      case Frontend.query:
        return this.#seeQuery(frame)
      case Frontend.functionCall:
        return this.#seeFunctionCall(frame)
      case Frontend.sync:
        this.isInUnit = false
        // A deferred constraint fails here, where the implicit transaction commits.
        return this.#replies.await({
          until: 'sync',
          onError: () => this.#session.failed(),
          onReady: (status) => this.#ready(status),
        })
      case Frontend.copyDone:
      case Frontend.copyFail:
        return this.#replies.await({ until: 'copyEnd' })
      case Frontend.copyData:
      case Frontend.flush:
        return
      default:
        this.isInUnit = true
        this.#seeExtended(frame)
    }
  }

  #seeExtended(frame: Frame): void {
    switch (frame.type) {
      case Frontend.parse:
        return this.#seeParse(frame)
      case Frontend.bind:
        return this.#seeBind(frame)
      case Frontend.describe: {
        const name = readCString(frame.buffer, frame.start + 6, frame.end)
        if (isStatement(frame)) this.#session.needStatement(name, this.#replies, this.#send)
        return this.#replies.await({ until: 'describe', onError: () => this.#session.failed() })
      }
      case Frontend.execute:
        return this.#seeExecute(frame)
      case Frontend.close:
        return this.#seeClose(frame)
      default:
    }
  }

  #seeQuery(frame: Frame): void {
    const { texts } = this.#client
    const text = readCString(frame.buffer, frame.start + 5, frame.end)
    const statements = texts.classify(text)
    this.#session.needNamedStatements(statements, this.#replies, this.#send)
    this.lastText = text
    const implicitBlock = statements.length > 1
    let index = 0
    this.#replies.await({
      until: 'query',
      onDone: (tag) => {
        const statement = statements[index++]
        if (statement !== undefined) this.#completed(statement, statement.text, tag, [], implicitBlock)
      },
      onError: (fields) => this.#failed(statements[index]?.text ?? text, [], fields),
      onReady: (status) => {
        // Like the server, a simple Query drops the unnamed statement and the unnamed portal.
        this.#client.names.statements.delete('')
        this.#portals.delete('')
        this.#ready(status)
      },
    })
  }

  #seeFunctionCall(frame: Frame): void {
    const text = `function call ${frame.buffer.readInt32BE(frame.start + 5)}`
    this.lastText = text
    this.#replies.await({
      until: 'functionCall',
      onError: (fields) => this.#failed(text, [], fields),
      onReady: (status) => {
        this.#world.noteChange(text)
        this.#ready(status)
      },
    })
  }

  #seeParse(frame: Frame): void {
    const { names, texts } = this.#client
    const { buffer, start, end } = frame
    const name = readCString(buffer, start + 5, end)
    const textStart = buffer.indexOf(0, start + 5) + 1
    const zero = buffer.indexOf(0, textStart)
    const text = buffer.toString('utf8', textStart, zero)
    const parameterTypes: number[] = []
    for (let index = buffer.readUInt16BE(zero + 1); index > 0; index--) {
      parameterTypes.push(buffer.readInt32BE(zero + 3 + parameterTypes.length * 4))
    }
    const statements = texts.classify(text)
    const statement = statements.length === 1 ? statements[0] : undefined
    // A name that exists is an error of the server's, so it has to exist there.
    if (name !== '') this.#session.needStatement(name, this.#replies, this.#send)
    if (statement?.kind === 'execute' || statement?.kind === 'deallocate') {
      this.#session.needStatement(statement.name, this.#replies, this.#send)
    }
    const made: ClientStatement = {
      text,
      serverText: text,
      parameterTypes,
      statement,
      isVirtual: statement !== undefined && isVirtualKind(statement),
      key: undefined,
    }
    const takeBack = this.#session.settleName(name)
    const drop = (): void => {
      if (this.#sent.get(name) === made) this.#sent.delete(name)
    }
    this.#sent.set(name, made)
    this.lastText = text
    this.#replies.await({
      until: 'parse',
      onDone: () => {
        drop()
        names.statements.set(name, made)
      },
      onError: (fields) => {
        drop()
        this.#failed(text, [], fields)
      },
      onSkipped: () => {
        drop()
        takeBack()
      },
    })
  }

  #seeBind(frame: Frame): void {
    const parts = readBindNames(frame.buffer, frame.start + 5, frame.end)
    if (!this.#sent.has(parts.statement)) {
      this.#session.needStatement(parts.statement, this.#replies, this.#send)
    }
    const statement = this.#sent.get(parts.statement) ?? this.#client.names.statements.get(parts.statement)
    const params = readBindValues(frame.buffer, parts.restStart, frame.end)
    this.#portals.set(parts.portal, { statement, params })
    this.lastText = statement?.text ?? this.lastText
    this.#replies.await({
      until: 'bind',
      onError: (fields) => this.#failed(statement?.text ?? '', params, fields),
    })
  }

  #seeExecute(frame: Frame): void {
    const name = readCString(frame.buffer, frame.start + 5, frame.end)
    const portal = this.#portals.get(name)
    const text = portal?.statement?.text ?? name
    const params = portal?.params ?? []
    const implicitBlock = this.#executed++ > 0
    this.lastText = text
    this.#replies.await({
      until: 'execute',
      onDone: (tag) => this.#completed(portal?.statement?.statement, text, tag, params, implicitBlock),
      onError: (fields) => this.#failed(text, params, fields),
    })
  }

  #seeClose(frame: Frame): void {
    const name = readCString(frame.buffer, frame.start + 6, frame.end)
    if (!isStatement(frame)) {
      this.#portals.delete(name)
      return this.#replies.await({ until: 'close' })
    }
    const takeBack = this.#session.settleName(name)
    return this.#replies.await({
      until: 'close',
      onDone: () => this.#client.names.statements.delete(name),
      onSkipped: takeBack,
    })
  }

  #completed(
    statement: Statement | undefined,
    text: string,
    tag: string | undefined,
    params: ClientPortal['params'],
    implicitBlock: boolean,
  ): void {
    const client = this.#client
    const wasIdle = client.state.status === 'idle'
    recordCompleted(this.#record(text, params), tag)
    if (mayHaveChanged(text, tag)) this.#world.noteChange(text)
    if (statement !== undefined) {
      this.#session.completed(statement, params, implicitBlock, () => this.#world.nextTransactionNumber())
    }
    if (wasIdle && client.state.status !== 'idle') {
      this.transactionText = text
      this.transactionSince = now()
    }
  }

  #failed(text: string, params: ClientPortal['params'], fields: MessageFields): void {
    recordFailed(this.#record(text, params), fields)
    if (mayHaveChanged(text, undefined)) this.#world.noteChange(text)
    this.#session.failed()
  }

  #record(text: string, params: ClientPortal['params']): Parameters<typeof recordCompleted>[0] {
    const { id, isOwn, state } = this.#client
    const startedAt = this.#startedAt
    // The next one of the same unit begins where this one ends.
    this.#startedAt = now()
    const transaction = state.status === 'idle' ? undefined : state.transaction.number
    return { level: this.#world, text, params, connection: id, isOwn, transaction, startedAt }
  }

  #ready(status: string): void {
    this.#session.ready(status)
    this.#executed = 0
    if (status === 'I') {
      this.#portals.clear()
      this.transactionSince = 0
    }
  }
}

/** Describe and Close name a statement ('S') or a portal ('P'). */
function isStatement(frame: Frame): boolean {
  return frame.buffer[frame.start + 5] === 0x53
}
