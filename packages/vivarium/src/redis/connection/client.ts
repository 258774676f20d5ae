import type { Socket } from 'node:net'
import { withDeadline } from '../../core/clock.ts'
import { VivariumError } from '../../core/errors.ts'
import { readReply, type Reply } from '../protocol/reply.ts'
import { ReplyScanner } from '../protocol/reply-scanner.ts'
import { writeRequest } from '../protocol/requests.ts'
import { connectTo, loginRequests } from './connect.ts'
import { describeTarget, type RedisTarget } from './target.ts'

/** A small client for commands of our own. */
export interface RedisClient extends AsyncDisposable {
  /** Resolves to the reply; rejects when it is an error, when the connection ends, or after the deadline. */
  command(...request: readonly (Buffer | string)[]): Promise<Reply>
  /** Resolves when the connection has ended, whoever ended it. */
  readonly ended: Promise<void>
  close(): Promise<void>
}

interface Awaited {
  resolve(reply: Reply): void
  reject(error: Error): void
}

/** A message of something that the connection has subscribed to. */
export interface RedisMessage {
  readonly channel: Buffer
  readonly payload: Buffer
}

/** An error that the server replied with. */
class RedisReplyError extends Error {
  override readonly name: string = 'RedisReplyError'
}

/**
 * Connects and logs in. It does not keep its process alive.
 *
 * @param deadlineMs milliseconds that each reply may take.
 * @param onMessage is called with each message, where something was subscribed to: one name for each command.
 * @throws VivariumError SERVER_UNREACHABLE, SERVER_LOGIN_REFUSED
 */
export async function openRedisClient(
  target: RedisTarget,
  deadlineMs = 10_000,
  onMessage?: (message: RedisMessage) => void,
): Promise<RedisClient> {
  const socket = connectTo(target)
  const client = new SocketClient(socket, target, deadlineMs, onMessage)
  try {
    for (const request of loginRequests(target)) await client.send(request)
    await client.command('PING')
    return client
  } catch (cause) {
    socket.destroy()
    const isRefused = cause instanceof RedisReplyError
    throw new VivariumError(isRefused ? 'SERVER_LOGIN_REFUSED' : 'SERVER_UNREACHABLE', {
      what: `The Redis server at ${describeTarget(target)} ${isRefused ? 'refused the login' : 'cannot be reached'}.`,
      seen: (cause as Error).message,
      remedy: isRefused
        ? 'Correct the user, password and database in the URL (VIVARIUM_REDIS_URL or `redis.url`).'
        : 'Start it, or correct VIVARIUM_REDIS_URL or `redis.url`; without either a server of our own is started.',
      cause,
    })
  }
}

class SocketClient implements RedisClient {
  readonly ended: Promise<void>
  readonly #socket: Socket
  readonly #target: RedisTarget
  readonly #deadlineMs: number
  readonly #onMessage: ((message: RedisMessage) => void) | undefined
  readonly #awaited: Awaited[] = []
  readonly #scanner: ReplyScanner = new ReplyScanner()
  #parts: Buffer[] = []
  #end: Error | undefined

  constructor(
    socket: Socket,
    target: RedisTarget,
    deadlineMs: number,
    onMessage: ((message: RedisMessage) => void) | undefined,
  ) {
    this.#socket = socket
    this.#target = target
    this.#deadlineMs = deadlineMs
    this.#onMessage = onMessage
    socket.unref()
    socket.on('data', (chunk) => this.#read(chunk))
    socket.on('error', (error) => this.#fail(error))
    this.ended = new Promise((resolve) => {
      socket.once('close', () => {
        this.#fail(new Error('the server closed the connection'))
        resolve()
      })
    })
  }

  command(...request: readonly (Buffer | string)[]): Promise<Reply> {
    return this.send(writeRequest(request))
  }

  send(bytes: Buffer): Promise<Reply> {
    if (this.#end !== undefined) return Promise.reject(this.#end)
    const replied = new Promise<Reply>((resolve, reject) => {
      this.#awaited.push({ resolve, reject })
    })
    this.#socket.write(bytes)
    const at = describeTarget(this.#target)
    return withDeadline(replied, this.#deadlineMs, () => new Error(`no reply from ${at} within ${this.#deadlineMs} ms`))
  }

  async close(): Promise<void> {
    this.#socket.end()
    await withDeadline(this.ended, 2000, () => new Error('late')).catch(() => this.#socket.destroy())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #read(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      const next = this.#scanner.scan(chunk, at)
      this.#parts.push(chunk.subarray(at, next))
      at = next
      if (!this.#scanner.isBetween) return
      const reply = readReply(Buffer.concat(this.#parts))
      this.#parts = []
      const message = this.#onMessage && messageIn(reply)
      if (message !== undefined) {
        this.#onMessage?.(message)
        continue
      }
      const awaited = this.#awaited.shift()
      if (reply.type === '-') awaited?.reject(new RedisReplyError(reply.text))
      else awaited?.resolve(reply)
    }
  }

  #fail(error: Error): void {
    this.#end ??= error
    for (const { reject } of this.#awaited.splice(0)) reject(this.#end)
  }
}

/** In RESP2 a message is a list like any other: `message channel payload`, `pmessage pattern channel payload`. */
function messageIn(reply: Reply): RedisMessage | undefined {
  if (!('items' in reply) || reply.items === undefined) return undefined
  const [kind, ...rest] = reply.items.map((item) => ('bytes' in item ? item.bytes : undefined))
  const [channel, payload] = rest.slice(-2)
  if (channel === undefined || payload === undefined) return undefined
  return ['message', 'pmessage'].includes(String(kind)) ? { channel, payload } : undefined
}
