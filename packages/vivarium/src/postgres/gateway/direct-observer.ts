import { now } from '../../core/clock.ts'
import type { InjectedFault } from '../../core/injected-fault.ts'
import { readCString } from '../protocol/backend.ts'
import { encodeBind, encodeClose, encodeExecute, encodeParse, encodeQuery } from '../protocol/frontend.ts'
import { Frontend } from '../protocol/message-types.ts'
import { encodeOwnMessage } from '../protocol/server-message.ts'
import type { MessageFields, OwnMessage } from '../protocol/server-message.ts'
import { replaceSpans } from '../sql/rewrite.ts'
import type { Statement } from '../sql/statement.ts'
import { failingCode, failingStatement } from './boundary.ts'
import { mayHaveChanged } from './changes-nothing.ts'
import { readBindNames, readBindValues } from './client-statement.ts'
import type { ClientPortal, ClientStatement } from './client-statement.ts'
import type { DatabaseWorld } from './database-world.ts'
import type { Awaited, AwaitedEnd, DirectReplies } from './direct-replies.ts'
import type { DirectOwner, DirectSession } from './direct-session.ts'
import type { Frame } from './extended-protocol.ts'
import { recordCompleted, recordFailed } from './query-record.ts'
import type { QueryRecord } from './query-record.ts'
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

  /** Takes note of a message that is about to be sent as it is; `'sent'` where another one was sent in its place. */
  see(frame: Frame): 'sent' | undefined {
    if (this.#replies.isQuiet) this.#startedAt = now()
    if (frame.type === Frontend.query || frame.type === Frontend.functionCall) this.isInUnit = false
    switch (frame.type) {
      case Frontend.query:
        return this.#seeQuery(frame)
      case Frontend.functionCall:
        this.#seeFunctionCall(frame)
        return undefined
      case Frontend.sync:
        this.isInUnit = false
        // A deferred constraint fails here, where the implicit transaction commits.
        this.#replies.await({
          until: 'sync',
          onError: () => this.#session.failed(),
          onReady: (status) => this.#ready(status),
        })
        return undefined
      case Frontend.copyDone:
      case Frontend.copyFail:
        this.#replies.await({ until: 'copyEnd' })
        return undefined
      case Frontend.copyData:
      case Frontend.flush:
        return undefined
      case Frontend.execute:
        this.isInUnit = true
        return this.#seeExecute(frame)
      default:
        this.isInUnit = true
        this.#seeExtended(frame)
        return undefined
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
      case Frontend.close:
        return this.#seeClose(frame)
      default:
    }
  }

  #seeQuery(frame: Frame): 'sent' | undefined {
    const { texts } = this.#client
    const text = readCString(frame.buffer, frame.start + 5, frame.end)
    const statements = texts.classify(text)
    this.#session.needNamedStatements(statements, this.#replies, this.#send)
    this.lastText = text
    const implicitBlock = statements.length > 1
    const { fault } = frame
    const failing = failingText(text, statements, fault)
    let unseenTags = failing?.tags ?? 0
    let index = 0
    const isOurFailure = (fields: MessageFields): boolean =>
      faultHere() !== undefined && failingCodes.has(fields['C'] ?? '')
    const faultHere = (): InjectedFault | undefined => (fault?.index === index ? fault.injected : undefined)
    this.#replies.await({
      until: 'query',
      onDone: (tag) => {
        const broken = faultHere()
        const statement = statements[index++]
        if (statement !== undefined) this.#completed(statement, statement.text, tag, [], implicitBlock, broken)
      },
      isOursDone: () => faultHere() !== undefined && unseenTags-- > 0,
      instead: (fields) =>
        failing !== undefined && isOurFailure(fields) ? encodeOwnMessage(failing.error) : undefined,
      onError: (fields) => {
        const said = failing !== undefined && isOurFailure(fields) ? messageFields(failing.error) : fields
        this.#failed(statements[index]?.text ?? text, [], said, faultHere())
      },
      onReady: (status) => {
        // Like the server, a simple Query drops the unnamed statement and the unnamed portal.
        this.#client.names.statements.delete('')
        this.#portals.delete('')
        this.#ready(status)
      },
    })
    if (failing === undefined) return undefined
    this.#send(encodeQuery(failing.text))
    return 'sent'
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

  #seeExecute(frame: Frame): 'sent' | undefined {
    const name = readCString(frame.buffer, frame.start + 5, frame.end)
    const portal = this.#portals.get(name)
    const text = portal?.statement?.text ?? name
    const params = portal?.params ?? []
    const implicitBlock = this.#executed++ > 0
    this.lastText = text
    const statement = portal?.statement?.statement
    const { error, injected } = frame.fault ?? {}
    if (error !== undefined) {
      if (statement?.kind === 'commit') this.#rollBack()
      this.#sendOurs('bind', encodeBind('', 'vivarium_refused'), {
        instead: () => encodeOwnMessage(error),
        onError: () => this.#failed(text, params, messageFields(error), injected),
      })
      return 'sent'
    }
    this.#replies.await({
      until: 'execute',
      onDone: (tag) => this.#completed(statement, text, tag, params, implicitBlock, injected),
      onError: (fields) => this.#failed(text, params, fields, injected),
    })
    return undefined
  }

  /** A COMMIT that fails has undone its transaction. */
  #rollBack(): void {
    const name = 'vivarium_rollback'
    this.#sendOurs('parse', encodeParse(name, 'ROLLBACK'))
    this.#sendOurs('bind', encodeBind(name, name))
    this.#sendOurs('execute', encodeExecute(name))
    this.#sendOurs('close', encodeClose('statement', name))
  }

  /** A message of our own inside the client's unit. */
  #sendOurs(until: AwaitedEnd, bytes: Buffer, answers: Pick<Awaited, 'instead' | 'onError'> = {}): void {
    this.#replies.await({ until, hidden: 'answers', ...answers })
    this.#send(bytes)
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
    fault: InjectedFault | undefined,
  ): void {
    const client = this.#client
    const wasIdle = client.state.status === 'idle'
    recordCompleted(this.#record(text, params, fault), tag)
    if (mayHaveChanged(text, tag)) this.#world.noteChange(text)
    if (statement !== undefined) {
      this.#session.completed(statement, params, implicitBlock, () => this.#world.nextTransactionNumber())
    }
    if (wasIdle && client.state.status !== 'idle') {
      this.transactionText = text
      this.transactionSince = now()
    }
  }

  #failed(text: string, params: ClientPortal['params'], fields: MessageFields, fault?: InjectedFault): void {
    recordFailed(this.#record(text, params, fault), fields)
    if (mayHaveChanged(text, undefined)) this.#world.noteChange(text)
    this.#session.failed()
  }

  #record(text: string, params: ClientPortal['params'], fault: InjectedFault | undefined): QueryRecord {
    const { id, isOwn, state } = this.#client
    const startedAt = this.#startedAt
    // The next one of the same unit begins where this one ends.
    this.#startedAt = now()
    const transaction = state.status === 'idle' ? undefined : state.transaction.number
    return { level: this.#world, text, params, connection: id, isOwn, transaction, startedAt, fault }
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

interface FailingText {
  readonly text: string
  /** How many command tags of it come before the failure and are not for the client. */
  readonly tags: number
  readonly error: OwnMessage
}

/** The text with a statement that fails where a fault has it: where a COMMIT stood, after a rollback. */
function failingText(text: string, statements: readonly Statement[], fault: Frame['fault']): FailingText | undefined {
  const statement = fault === undefined ? undefined : statements[fault.index]
  if (statement === undefined || fault?.error === undefined) return undefined
  const undone = statement.kind === 'commit' ? ['ROLLBACK'] : []
  const replacement = { ...statement.span, text: [...undone, failingStatement].join('; ') }
  return { text: replaceSpans(text, [replacement]).text, tags: undone.length, error: fault.error }
}

/** What the failing statement fails with: in a transaction, and outside one. */
const failingCodes: ReadonlySet<string> = new Set([failingCode, '25P01'])

function messageFields({ code, message }: OwnMessage): MessageFields {
  return { C: code, M: message }
}

/** Describe and Close name a statement ('S') or a portal ('P'). */
function isStatement(frame: Frame): boolean {
  return frame.buffer[frame.start + 5] === 0x53
}
