import { randomBytes } from 'node:crypto'
import type { AddressInfo, Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { withDeadline } from '../../core/clock.ts'
import { VivariumError } from '../../core/errors.ts'
import { BackgroundWork } from '../../core/lifecycle.ts'
import type { SandboxOwner } from '../../core/owner.ts'
import { findCurrent } from '../../core/registry.ts'
import { joinOwnConnections } from '../../machine/in-process-transport.ts'
import { listenLocally } from '../../machine/listen-locally.ts'
import { CommandIndex } from '../commands/command-index.ts'
import type { CommandTable } from '../commands/command-table.ts'
import { copyKeys, removeKeys } from '../commands/own-scripts.ts'
import { ScriptPreamble } from '../commands/script-preamble.ts'
import { openRedisClient, type RedisClient } from '../connection/client.ts'
import type { RedisTarget } from '../connection/target.ts'
import type { Reply } from '../protocol/reply.ts'
import { EventSetting } from './event-setting.ts'
import { RedisPart, type PartHost } from './redis-part.ts'
import { ScriptStore } from './script-store.ts'
import type { ListeningPlace } from './subscriptions.ts'
import { type ConnectionHost, type Door, VirtualConnection } from './virtual-connection.ts'

/** What {@link openRedisGateway} needs. Plain data, from the host of the run. */
export interface OpenRedisGatewayOptions {
  readonly target: RedisTarget
  readonly table: CommandTable
  readonly databases: number
  /** The server is one of our own. */
  readonly ownsServer: boolean
  /** What stands before all names of the run. */
  readonly prefix: string
}

/** A server on 127.0.0.1 that speaks the Redis protocol and keeps sandboxes apart on one real server. */
export interface RedisGateway {
  /** Follows the process's current sandbox. */
  readonly url: string
  /** The URL that is pinned to a sandbox. */
  urlOf(owner: SandboxOwner): string
  /** The stable URL leads to another sandbox: what is subscribed through it, or waits, goes along. */
  currentChanged(): Promise<void>
  /** Until the returned function is called, the stable URL answers with this text. */
  refuseStable(message: string, onRefused: () => void): () => void
  close(): Promise<void>
}

/** How long the server may take to let what is subscribed, or waits, follow the current sandbox. */
const moveMs = 2000

const pinnedUser = /^sandbox-([a-z0-9]+)$/

export async function openRedisGateway(options: OpenRedisGatewayOptions): Promise<RedisGateway> {
  const gateway = new Gateway(options)
  await gateway.listen()
  return gateway
}

class Gateway implements RedisGateway, PartHost, ConnectionHost {
  readonly target: RedisTarget
  readonly commands: CommandIndex
  readonly databases: number
  readonly ownsServer: boolean
  readonly prefix: string
  readonly scripts: ScriptStore
  readonly nobody: ConnectionHost['nobody']
  readonly #password: string = randomBytes(18).toString('base64url')
  readonly #connections: Set<VirtualConnection> = new Set()
  /** Every sandbox of this process that has touched Redis, or whose URL was asked for. */
  readonly #parts: Map<string, RedisPart> = new Map()
  readonly #inBackground: BackgroundWork = new BackgroundWork()
  #client: Promise<RedisClient> | undefined
  #listener: Server | undefined
  #leaveAlone: () => void = () => undefined
  #refusal: { readonly message: string; readonly onRefused: () => void } | undefined
  #connectionNumber = 0
  #partNumber = 0
  #port = 0

  constructor({ target, table, databases, ownsServer, prefix }: OpenRedisGatewayOptions) {
    this.target = target
    this.commands = new CommandIndex(table)
    this.databases = databases
    this.ownsServer = ownsServer
    this.prefix = `${prefix}${randomBytes(3).toString('hex')}:`
    this.scripts = new ScriptStore(new ScriptPreamble(table))
    const nowhere = `${this.prefix}none:`
    this.nobody = {
      prefix: nowhere,
      channelPrefix: Buffer.from(`${nowhere}c:`),
      keyPrefix: (database) => Buffer.from(`${nowhere}${database}:`),
      scripts: this.scripts.view(),
      // A server of ours tells of nothing; another one of what its own setting says.
      events: new EventSetting(() => undefined, ownsServer ? new Set() : undefined),
    }
  }

  async listen(): Promise<void> {
    const serve = (stream: Duplex): void => {
      this.#connectionNumber++
      this.#connections.add(new VirtualConnection(this.#connectionNumber, stream, this))
    }
    this.#listener = await listenLocally((socket) => {
      serve(socket)
    })
    this.#port = (this.#listener.address() as AddressInfo).port
    // The same switch as for Postgres: all through TCP, to look for a difference.
    if (process.env['VIVARIUM_TRANSPORT'] !== 'tcp') this.#leaveAlone = joinOwnConnections(this.#port, serve)
  }

  get url(): string {
    return `redis://default:${this.#password}@127.0.0.1:${this.#port}`
  }

  urlOf(owner: SandboxOwner): string {
    return `redis://sandbox-${this.#partOf(owner).id}:${this.#password}@127.0.0.1:${this.#port}`
  }

  async currentChanged(): Promise<void> {
    if (this.#connections.size === 0) return
    // Also while the stable URL is refused: who listens there asks for nothing, and hears the current sandbox alone.
    const owner = openOwner()
    const moving: Promise<void>[] = []
    for (const connection of this.#connections) {
      if (connection.door?.kind !== 'stable' || !connection.isTied) continue
      const followed = connection.follow(owner === undefined ? this.nobody : this.#partOf(owner))
      if (followed === undefined) continue
      const late = (): Error => notMoved(connection.number, owner?.title)
      moving.push(
        withDeadline(followed, moveMs, late).then(
          () => undefined,
          (error: unknown) => {
            // What does not go along is ended, so that nothing of one sandbox reaches another.
            connection.destroy()
            owner?.recorder.fail(error)
          },
        ),
      )
    }
    await Promise.all(moving)
  }

  refuseStable(message: string, onRefused: () => void): () => void {
    const refusal = { message, onRefused }
    this.#refusal = refusal
    return () => {
      if (this.#refusal === refusal) this.#refusal = undefined
    }
  }

  placeOf(door: Door): RedisPart | string {
    if (door.kind === 'pinned') {
      const part = this.#parts.get(door.id)
      return part?.state === 'open' ? part : sandboxClosed
    }
    if (this.#refusal !== undefined) {
      this.#refusal.onRefused()
      return this.#refusal.message
    }
    const owner = findCurrent() as SandboxOwner | undefined
    if (owner === undefined) return noSandbox
    if (owner.state === 'closed') return sandboxClosed
    const part = this.#partOf(owner)
    return part.state === 'open' ? part : sandboxClosed
  }

  leadsTo(door: Door): RedisPart | undefined {
    if (door.kind === 'pinned') return this.#parts.get(door.id)
    return (findCurrent() as SandboxOwner | undefined)?.knownPart<RedisPart>('redis')
  }

  listeningPlaceOf(door: Door): ListeningPlace | string {
    if (door.kind === 'stable' && this.#refusal === undefined && openOwner() === undefined) return this.nobody
    return this.placeOf(door)
  }

  doorOf({ username, password }: { username: string | undefined; password: string }): Door | undefined {
    if (password !== this.#password) return undefined
    const id = pinnedUser.exec(username ?? '')?.[1]
    if (id === undefined) return username === undefined || username === 'default' ? { kind: 'stable' } : undefined
    return { kind: 'pinned', id }
  }

  connections(): Iterable<VirtualConnection> {
    return this.#connections
  }

  clientIds(part: RedisPart): ReadonlySet<string> {
    const ids = [...this.#in(part)].flatMap(({ clientId }) => (clientId === undefined ? [] : [clientId]))
    return new Set(ids)
  }

  patterns(part: RedisPart): number {
    let count = 0
    for (const connection of this.#in(part)) count += connection.patternCount
    return count
  }

  async unblock(clientId: string): Promise<boolean> {
    const reply = await this.#command('CLIENT', 'UNBLOCK', clientId)
    return reply.type === ':' && reply.text === '1'
  }

  async copy(from: string, to: string): Promise<void> {
    await this.#command('EVAL', copyKeys, '0', from, to)
  }

  remove(part: RedisPart): void {
    this.#parts.delete(part.id)
    if (!part.mayHaveKeys) return
    const keys = part.knownKeys
    const removed =
      keys === undefined
        ? this.#command('EVAL', removeKeys, '0', `${part.prefix}*`)
        : this.#command('UNLINK', ...[...keys].map((key) => Buffer.from(key, 'latin1')))
    this.#inBackground.add(removed)
  }

  closed(connection: VirtualConnection): void {
    this.#connections.delete(connection)
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.destroy()
    this.#leaveAlone()
    const listener = this.#listener
    if (listener !== undefined) await new Promise<void>((resolve) => listener.close(() => resolve()))
    try {
      await this.#inBackground.settled()
    } finally {
      await (await this.#client?.catch(() => undefined))?.close()
    }
  }

  #partOf(owner: SandboxOwner): RedisPart {
    return owner.part('redis', (one) => {
      this.#partNumber++
      const part = new RedisPart(one, this.#partNumber.toString(36), this)
      this.#parts.set(part.id, part)
      return part
    })
  }

  *#in(part: RedisPart): Generator<VirtualConnection> {
    for (const connection of this.#connections) {
      const { door } = connection
      if (door !== undefined && this.leadsTo(door) === part) yield connection
    }
  }

  async #command(...request: readonly (Buffer | string)[]): Promise<Reply> {
    return (await this.#connected()).command(...request)
  }

  /** One that could not be opened, or that has ended, is not used again. */
  #connected(): Promise<RedisClient> {
    if (this.#client !== undefined) return this.#client
    const opening = openRedisClient(this.target)
    this.#client = opening
    const forget = (): void => {
      if (this.#client === opening) this.#client = undefined
    }
    opening.then(({ ended }) => ended).then(forget, forget)
    return opening
  }
}

/** The sandbox that the stable URL leads to. */
function openOwner(): SandboxOwner | undefined {
  const owner = findCurrent() as SandboxOwner | undefined
  return owner === undefined || owner.state === 'closed' ? undefined : owner
}

function notMoved(connection: number, title: string | undefined): VivariumError {
  return new VivariumError('CONNECTION_NOT_MOVED', {
    what:
      `Redis connection ${connection}, on the stable URL, could not follow into ${title === undefined ? 'no sandbox' : `sandbox "${title}"`}: ` +
      `the server did not say within ${moveMs} ms that it listens there, or has stopped to wait.`,
    remedy: 'See what the server is busy with. The connection was closed.',
  })
}

const noSandbox =
  'NO_SANDBOX No sandbox is open: Vivarium has nowhere to put this. Move what runs while a module loads into a hook or a test.'
const sandboxClosed =
  'SANDBOX_CLOSED The sandbox of this URL is closed. Await everything the test starts before it ends.'
