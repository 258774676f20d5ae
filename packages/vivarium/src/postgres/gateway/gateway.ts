import { randomBytes } from 'node:crypto'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { formatPostgresUrl } from '../connection/target.ts'
import type { LeasePool } from '../leases/lease.ts'
import type { OwnMessage } from '../protocol/server-message.ts'
import { closeSandbox } from './close-sandbox.ts'
import type { OpenPostgresSandboxOptions, PostgresSandbox, StableRefusal } from './gateway-types.ts'
import { joinOwnConnections } from './in-process-transport.ts'
import { openWorld } from './open-world.ts'
import { LoginReports } from './startup-settings.ts'
import { StatementTexts } from './statement-texts.ts'
import type { TemplateFacts } from './template-facts.ts'
import { VirtualConnection } from './virtual-connection.ts'
import type { GatewayHost } from './virtual-connection.ts'
import type { World } from './world.ts'
import { VivariumError } from '../../core/errors.ts'

/** Options of {@link openGateway}. */
export interface OpenGatewayOptions {
  leases: LeasePool
  /** The template's facts, where the host has read them. Otherwise the first clone is asked. */
  facts?: TemplateFacts
  /**
   * Milliseconds that a connection waits for another one of its sandbox that is inside a transaction and does nothing.
   *
   * @default 1000
   */
  waitMs?: number
}

/** One process's Postgres gateway. */
export interface Gateway extends AsyncDisposable {
  /** Follows the process's current sandbox. */
  readonly url: string
  openSandbox(options: OpenPostgresSandboxOptions): Promise<PostgresSandbox>
  /** Until the returned function is called, the stable URL answers every unit of work with this refusal. */
  refuseStable(refusal: StableRefusal): () => void
  /** Serves one client over any duplex stream, as a connection to the URL's port would be. */
  serve(stream: Duplex): void
  close(): Promise<void>
}

const stableDatabase = 'vivarium'

interface OpenSandbox extends PostgresSandbox {
  readonly id: number
  world: World
  readonly parent: OpenSandbox | undefined
  readonly isCurrent: boolean
  isOpen: boolean
}

/**
 * Opens the gateway: leases a first database, connects to it, and listens on 127.0.0.1 with a free port and a random
 * password.
 */
export async function openGateway(options: OpenGatewayOptions): Promise<Gateway> {
  const { leases, waitMs = 1000 } = options
  const password = randomBytes(18).toString('base64url')
  const connections = new Set<VirtualConnection>()
  const sandboxes = new Map<string, OpenSandbox>()
  const idleWorlds: World[] = []
  const texts = new StatementTexts()
  let { facts } = options
  let current: OpenSandbox | undefined
  let connectionNumber = 0
  let sandboxNumber = 0
  let isClosed = false
  let stableRefusal: StableRefusal | undefined

  const makeWorld = async (): Promise<World> => {
    const lease = await leases.acquire()
    try {
      const opened = await openWorld(lease, waitMs, facts)
      facts = opened.facts
      opened.world.onBroken = () => {
        for (const connection of connections) {
          if (connection.units.world !== opened.world) continue
          connection.terminate(lostSession)
          connection.units.sessionLost()
        }
      }
      return opened.world
    } catch (error) {
      await lease.release({ drop: true })
      throw error
    }
  }

  const takeWorld = async (): Promise<World> => {
    for (let world = idleWorlds.pop(); world !== undefined; world = idleWorlds.pop()) {
      if (world.broken === undefined) return world
      await discardWorld(world)
    }
    return makeWorld()
  }

  const discardWorld = async (world: World): Promise<void> => {
    await world.session.close()
    await world.lease.release({ drop: world.broken !== undefined || world.isWornOut }).catch((error: unknown) => {
      // A broken world's database may have gone with its server. The run's end drops what is left, and says so when it cannot.
      if (world.broken === undefined) throw error
    })
  }

  const first = await makeWorld()
  idleWorlds.push(first)
  const { user } = first.lease.target

  const host: GatewayHost = {
    texts,
    password,
    user,
    processId: first.session.processId,
    loginReports: new LoginReports(first.lease.target, first.session.parameters),
    worldFor: (database) => {
      if (database === stableDatabase && stableRefusal !== undefined) {
        stableRefusal.onRefused()
        return stableRefusal.message
      }
      const sandbox = database === stableDatabase ? current : sandboxes.get(database)
      if (sandbox === undefined || !sandbox.isOpen) return database === stableDatabase ? noSandbox : sandboxClosed
      return sandbox.world.broken === undefined
        ? sandbox.world
        : { ...lostSession, detail: sandbox.world.broken.message }
    },
    knowsDatabase: (database) => {
      const number = /^vivarium_sandbox_(\d+)$/.exec(database)?.[1]
      return database === stableDatabase || (number !== undefined && Number(number) <= sandboxNumber)
    },
    cancel: (_processId, secretKey) => {
      for (const connection of connections) if (connection.secretKey === secretKey) connection.units.cancel()
    },
    closed: (connection) => connections.delete(connection),
  }

  const serve = (stream: Duplex): void => {
    connectionNumber++
    connections.add(new VirtualConnection(connectionNumber, stream, host))
  }
  const listener = await listen((socket) => {
    socket.setNoDelay(true)
    serve(socket)
  })
  const { port } = listener.address() as AddressInfo
  const leaveAlone = usesTcpOnly(process.env) ? () => undefined : joinOwnConnections(port, serve)
  const urlOf = (database: string): string =>
    formatPostgresUrl({ host: '127.0.0.1', port, user, password, database, parameters: {} })

  /** Sandboxes whose session was lost before anything was done in them go on with another one. */
  const rehome = async (innermost: OpenSandbox): Promise<void> => {
    const lost = innermost.world
    const world = await takeWorld()
    for (const level of lost.levels) await world.openLevel(level.title, level.recorder)
    for (let sandbox: OpenSandbox | undefined = innermost; sandbox !== undefined; sandbox = sandbox.parent) {
      sandbox.world = world
    }
    await discardWorld(lost)
  }

  const openSandbox = async (asked: OpenPostgresSandboxOptions): Promise<PostgresSandbox> => {
    if (isClosed) {
      throw new VivariumError('VIVARIUM_CLOSED', {
        what: `The sandbox "${asked.title}" cannot be opened: the gateway is closed.`,
        remedy: 'Open sandboxes before the vivarium is closed.',
      })
    }
    const parent = asked.within as OpenSandbox | undefined
    if (parent?.world.broken !== undefined && !parent.world.hasLostWork) await rehome(parent)
    if (parent !== undefined) refuseOpenTransaction(parent.world, asked.title)
    const world = parent?.world ?? (await takeWorld())
    await world.openLevel(asked.title, asked.recorder)
    sandboxNumber++
    const database = `vivarium_sandbox_${sandboxNumber}`
    const sandbox: OpenSandbox = {
      id: sandboxNumber,
      url: urlOf(database),
      world,
      parent,
      isCurrent: asked.current,
      isOpen: true,
      close: async (endClients) => {
        if (!sandbox.isOpen) return []
        const failures = await closeSandbox(sandbox.world, asked.title, endClients, () => {
          sandbox.isOpen = false
          if (current === sandbox) current = parent?.isOpen === true && parent.isCurrent ? parent : undefined
        })
        sandboxes.delete(database)
        if (parent === undefined) {
          const used = sandbox.world
          if (used.broken === undefined && !used.isWornOut && !isClosed) idleWorlds.push(used)
          else await discardWorld(used).catch((error: unknown) => failures.push(error))
        }
        return failures
      },
    }
    sandboxes.set(database, sandbox)
    if (asked.current) current = sandbox
    return sandbox
  }

  const close = async (): Promise<void> => {
    if (isClosed) return
    isClosed = true
    for (const sandbox of [...sandboxes.values()].toReversed()) await sandbox.close()
    for (const connection of connections) connection.destroy()
    leaveAlone()
    await new Promise<void>((resolve) => listener.close(() => resolve()))
    for (const world of idleWorlds.splice(0)) await discardWorld(world)
  }

  const refuseStable = (refusal: StableRefusal): (() => void) => {
    stableRefusal = refusal
    return () => {
      if (stableRefusal === refusal) stableRefusal = undefined
    }
  }

  return { url: urlOf(stableDatabase), openSandbox, refuseStable, serve, close, [Symbol.asyncDispose]: close }
}

function listen(onConnection: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(onConnection)
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      // A gateway that nobody closed does not keep its process alive.
      server.unref()
      resolve(server)
    })
  })
}

/** `VIVARIUM_TRANSPORT=tcp` sends this process's own connections through TCP too, to look for a difference. */
function usesTcpOnly(environment: NodeJS.ProcessEnv): boolean {
  return environment['VIVARIUM_TRANSPORT'] === 'tcp'
}

function refuseOpenTransaction(world: World, title: string): void {
  const holder = world.turns.holder
  if (holder === undefined) return
  const { id, units } = holder as VirtualConnection
  throw new VivariumError('TRANSACTION_LEFT_OPEN', {
    what: `The sandbox "${title}" cannot be opened inside another one: connection ${id} is in the middle of something.`,
    seen: units.runningText ?? units.transactionText,
    remedy:
      'Await the statement, and commit or roll back the transaction, before the next test begins (see beforeAll and beforeEach).',
  })
}

const lostSession: OwnMessage = {
  severity: 'FATAL',
  code: '57P01',
  message: 'the sandbox lost its database session; all of its uncommitted work is gone',
}

const noSandbox: OwnMessage = {
  code: '55000',
  message: 'no sandbox is open: nothing can be done to the database now',
  hint:
    'Open one with vivarium.openSandbox() and close it when the test ends; in Vitest the plugin does that around every test, ' +
    'so this statement ran before the first test, after the last one, or after its own test had ended (a missing await?).',
}

const sandboxClosed: OwnMessage = {
  code: '55000',
  message: 'the sandbox of this URL is closed: nothing can be done to the database any more',
  hint: 'Use the URL of an open sandbox, and await all work before its sandbox closes.',
}
