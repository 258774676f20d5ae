import type { Socket } from 'node:net'
import { connectTo, loginRequests } from '../connection/connect.ts'
import { describeTarget, type RedisTarget } from '../connection/target.ts'
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
  #gathered: Buffer[] = []
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

  write(bytes: Buffer): void {
    this.#gathered.push(bytes)
  }

  /** Sends what was written; `false` when the server should be given time. */
  flush(): boolean {
    if (this.#gathered.length === 0) return true
    const bytes = this.#gathered.length === 1 ? this.#gathered[0]! : Buffer.concat(this.#gathered)
    this.#gathered = []
    if (this.state !== 'open') return true
    return this.#socket!.write(bytes)
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
