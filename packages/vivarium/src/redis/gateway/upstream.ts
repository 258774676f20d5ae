import type { Socket } from 'node:net'
import { connectTo, loginRequests } from '../connection/connect.ts'
import { describeTarget, type RedisTarget } from '../connection/target.ts'
import { RequestWriter } from '../protocol/request-writer.ts'
import { writeRequest } from '../protocol/requests.ts'

/** What is told of the connection to the server. */
export interface UpstreamListener {
  readonly onData: (chunk: Buffer) => void
  readonly onDrain: () => void
  readonly onEnd: (reason: string | undefined) => void
}

/** One client's own connection to the server: made when it is first needed, its bytes written once per turn. */
export class Upstream {
  readonly #target: RedisTarget
  readonly #listener: UpstreamListener
  #socket: Socket | undefined
  /** What is sent with the next `flush`. */
  readonly writer: RequestWriter = new RequestWriter()
  state: 'unused' | 'open' | 'ending' | 'ended' = 'unused'

  constructor(target: RedisTarget, listener: UpstreamListener) {
    this.#target = target
    this.#listener = listener
  }

  /** Connects; what logs in is to be written next. */
  open(): void {
    const socket = connectTo(this.#target)
    this.#socket = socket
    this.state = 'open'
    let reason: string | undefined
    socket.on('data', this.#listener.onData)
    socket.on('drain', this.#listener.onDrain)
    socket.on('error', (error) => {
      reason = `${describeTarget(this.#target)}: ${error.message}`
    })
    socket.on('end', () => socket.end())
    socket.on('close', () => {
      this.state = 'ended'
      this.#listener.onEnd(reason)
    })
  }

  get loginRequests(): readonly Buffer[] {
    return [...loginRequests(this.#target), writeRequest(['CLIENT', 'ID'])]
  }

  /** Sends what was written; `false` when the server should be given time. */
  flush(): boolean {
    if (this.writer.isEmpty) return true
    const pieces = this.writer.take()
    if (this.state !== 'open') return true
    const socket = this.#socket!
    if (pieces.length === 1) return socket.write(pieces[0]!)
    socket.cork()
    let mayGoOn = true
    for (const piece of pieces) mayGoOn = socket.write(piece)
    socket.uncork()
    return mayGoOn
  }

  pause(): void {
    this.#socket?.pause()
  }

  resume(): void {
    this.#socket?.resume()
  }

  /** Lets the server finish what it was sent. */
  end(): void {
    if (this.state !== 'open') return
    this.flush()
    this.state = 'ending'
    this.#socket!.end()
    this.#socket!.resume()
  }

  destroy(): void {
    this.#socket?.destroy()
  }
}
