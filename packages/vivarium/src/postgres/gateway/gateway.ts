import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { VivariumError } from '../../core/errors.ts'
import { interactionsWith, type Recorder } from '../../core/interactions.ts'
import { BackgroundWork } from '../../core/lifecycle.ts'
import type { Isolation } from '../../core/options.ts'
import type { ConnectionBudget } from '../connection/connection-budget.ts'
import { formatPostgresUrl } from '../connection/target.ts'
import type { ConnectionTarget } from '../connection/target.ts'
import type { LeasePool } from '../leases/lease.ts'
import { changesNothing } from './changes-nothing.ts'
import { closeSandbox, endAnswered } from './close-sandbox.ts'
import { DatabaseWorld } from './database-world.ts'
import type { OpenPostgresSandboxOptions, PostgresSandbox, StableRefusal } from './gateway-types.ts'
import { lostSession, noSandbox, sandboxClosed, sandboxLent } from './gateway-answers.ts'
import { joinOwnConnections } from '../../machine/in-process-transport.ts'
import { listenLocally } from '../../machine/listen-locally.ts'
import { IdleWorlds } from './idle-worlds.ts'
import { openWorld } from './open-world.ts'
import { LoginReports } from './startup-settings.ts'
import { StatementTexts } from './statement-texts.ts'
import type { TemplateFacts } from './template-facts.ts'
import { VirtualConnection } from './virtual-connection.ts'
import type { GatewayHost } from './virtual-connection.ts'
import { World } from './world.ts'

/** Options of {@link openGateway}. */
export interface OpenGatewayOptions {
  leases: LeasePool
  /** As whom clients log in, and what they log in to: a clone's name takes the place of its `database`. */
  application: ConnectionTarget
  /** How many connections to the server the sandboxes may have. */
  budget: ConnectionBudget
  /** The template's facts, where the host has read them. Otherwise the first clone is asked. */
  facts?: TemplateFacts
  /**
   * Milliseconds that a connection waits for another one of its sandbox that is inside a transaction and does nothing.
   *
   * @default 1000
   */
  waitMs?: number
  /**
   * Milliseconds that a connection may be idle inside its transaction before another one that waits is run inside of it.
   *
   * @default 20
   */
  nestAfterMs?: number
}

/** One process's Postgres gateway. */
export interface Gateway extends AsyncDisposable {
  /** Follows the process's current sandbox. */
  readonly url: string
  /** Resolves when the first session is there, rejects with what hindered it. */
  readonly ready: Promise<void>
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
  place: World | DatabaseWorld
  readonly parent: OpenSandbox | undefined
  readonly title: string
  readonly recorder: Recorder
  readonly isolation: Isolation
  readonly isCurrent: boolean
  isOpen: boolean
  /** What works in this one's place while nothing is done here: see {@link findLender}. */
  lentTo: OpenSandbox | 'opening' | undefined
}

type Lender = OpenSandbox & { readonly place: World }

/**
 * Opens the gateway: listens on 127.0.0.1 with a free port and a random password. The first database is leased and
 * connected to meanwhile: what needs it waits for it.
 */
export async function openGateway(options: OpenGatewayOptions): Promise<Gateway> {
  const { leases, application, budget, waitMs = 1000, nestAfterMs = 20 } = options
  const password = randomBytes(18).toString('base64url')
  const connections = new Set<VirtualConnection>()
  const sandboxes = new Map<string, OpenSandbox>()
  const inBackground = new BackgroundWork()
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
      const opened = await openWorld(lease, { waitMs, nestAfterMs, budget, facts })
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

  const idleWorlds = new IdleWorlds(makeWorld)

  // A session that waits for the next sandbox is nothing to those who wait for a connection now.
  const stopYielding = budget.onShortage(() => {
    void idleWorlds.giveUpOne()
    // Nor is what a sandbox keeps open in whose place the one inside it works.
    for (const { parent } of sandboxes.values()) if (parent?.place instanceof DatabaseWorld) parent.place.detachIdle()
  })

  // Nor is its database to those who wait for one.
  leases.onShortage(() => idleWorlds.giveUpOne())

  const { user } = application
  const logins = idleWorlds.first.then(({ session }) => ({
    processId: session.processId,
    reports: new LoginReports((use) => idleWorlds.withDatabase(use), session.parameters),
  }))
  const ready = logins.then(() => undefined)
  // Whoever needs it hears of it: a login, a sandbox, `ready`.
  ready.catch(() => undefined)

  const host: GatewayHost = {
    texts,
    password,
    user,
    logins,
    worldFor: (database) => {
      if (database === stableDatabase && stableRefusal !== undefined) {
        stableRefusal.onRefused()
        return stableRefusal.message
      }
      const sandbox = database === stableDatabase ? current : sandboxes.get(database)
      if (sandbox === undefined || !sandbox.isOpen) return database === stableDatabase ? noSandbox : sandboxClosed
      if (sandbox.lentTo !== undefined) return sandboxLent
      const { place } = sandbox
      return place.broken === undefined && place instanceof World
        ? place
        : { ...lostSession, detail: place.broken?.message }
    },
    databaseFor: (database) => {
      if (database === stableDatabase && stableRefusal !== undefined) return undefined
      const sandbox = database === stableDatabase ? current : sandboxes.get(database)
      if (sandbox?.isOpen !== true || sandbox.place.broken !== undefined) return undefined
      return sandbox.place instanceof DatabaseWorld ? sandbox.place : undefined
    },
    // Vivarium's own statements are never broken.
    faultedFor: ({ database, isOwn }) => {
      if (isOwn) return undefined
      const sandbox = database === stableDatabase ? current : sandboxes.get(database)
      if (sandbox?.isOpen !== true) return undefined
      const { place } = sandbox
      const level = place instanceof World ? place.level : place
      return level?.recorder.faults.awaits('postgres') === true ? level : undefined
    },
    knowsDatabase: (database) => {
      const number = /^vivarium_sandbox_(\d+)$/.exec(database)?.[1]
      return database === stableDatabase || (number !== undefined && Number(number) <= sandboxNumber)
    },
    cancel: (_processId, secretKey) => {
      for (const connection of connections) if (connection.secretKey === secretKey) return connection.cancel()
      return undefined
    },
    closed: (connection) => connections.delete(connection),
  }

  const serve = (stream: Duplex): void => {
    connectionNumber++
    connections.add(new VirtualConnection(connectionNumber, stream, host))
  }
  const listener = await listenLocally((socket) => {
    serve(socket)
  })
  const { port } = listener.address() as AddressInfo
  const leaveAlone = usesTcpOnly(process.env) ? () => undefined : joinOwnConnections(port, serve)
  const urlOf = (database: string): string =>
    formatPostgresUrl({ host: '127.0.0.1', port, user, password, database, parameters: {} })

  /** Sandboxes whose session was lost before anything was done in them go on with another one. */
  const rehome = async (innermost: OpenSandbox, lost: World): Promise<void> => {
    const world = await idleWorlds.take()
    for (const level of lost.levels) await world.openLevel(level.title, level.recorder)
    for (let sandbox: OpenSandbox | undefined = innermost; sandbox !== undefined; sandbox = sandbox.parent) {
      if (sandbox.place === lost) sandbox.place = world
    }
    await idleWorlds.discard(lost)
  }

  /** Where a sandbox's work goes: a transaction's next level, a transaction of its own, or a database of its own. */
  const openPlace = async (
    asked: OpenPostgresSandboxOptions,
    parent: OpenSandbox | undefined,
    lender: Lender | undefined,
  ): Promise<World | DatabaseWorld> => {
    const { title, recorder, isolation } = asked
    if (parent?.place instanceof World && parent.place.broken !== undefined && !parent.place.hasLostWork) {
      await rehome(parent, parent.place)
    }
    const around = parent?.place
    if (around instanceof World) await endAnswered(around.scheduler.top as VirtualConnection | undefined)
    if (around !== undefined) refuseOpenTransaction(around, title)
    if (parent?.lentTo !== undefined) throw lentPlace(parent.title, title)
    if (parent !== undefined && parent.isolation !== isolation) refuseMixed(parent, asked)
    if (isolation === 'database') {
      const base = around instanceof DatabaseWorld ? around : undefined
      return new DatabaseWorld({ title, recorder, leases, budget, base })
    }
    const world = around instanceof World ? around : (lender?.place ?? (await idleWorlds.take()))
    await world.openLevel(title, recorder)
    return world
  }

  /**
   * The current sandbox, while tests run at once and it has done nothing: nobody can reach it then, and one of the tests works in
   * its place. So there are as many databases as tests at once, and not one more for their file.
   */
  const findLender = (asked: OpenPostgresSandboxOptions): Lender | undefined => {
    const isFor = stableRefusal !== undefined && !asked.current && !asked.within && asked.isolation === 'transaction'
    if (!isFor || idleWorlds.size > 0 || current?.lentTo !== undefined) return undefined
    if (!(current?.place instanceof World)) return undefined
    const { broken, levels } = current.place
    const isBusy = busyConnection(current.place) !== undefined
    const isUntouched = broken === undefined && !isBusy && levels.every(({ started }) => !started)
    return isUntouched ? (current as Lender) : undefined
  }

  /** The stable URL leads elsewhere: what listens there goes along. */
  const takeListeners = async (): Promise<void> => {
    const following = [...connections].filter(({ database }) => database === stableDatabase)
    await Promise.all(following.map((connection) => connection.sandboxChanged()))
  }

  const openSandbox = async (asked: OpenPostgresSandboxOptions): Promise<PostgresSandbox> => {
    if (isClosed) {
      throw new VivariumError('VIVARIUM_CLOSED', {
        what: `The sandbox "${asked.title}" cannot be opened: the gateway is closed.`,
        remedy: 'Open sandboxes before the vivarium is closed.',
      })
    }
    const parent = asked.within as OpenSandbox | undefined
    const lender = findLender(asked)
    if (lender !== undefined) lender.lentTo = 'opening'
    const giveBack = (): void => {
      if (lender !== undefined) lender.lentTo = undefined
    }
    const place = await openPlace(asked, parent, lender).catch((error: unknown) => {
      giveBack()
      throw error
    })
    sandboxNumber++
    const database = `vivarium_sandbox_${sandboxNumber}`
    const sandbox: OpenSandbox = {
      id: sandboxNumber,
      url: urlOf(database),
      place,
      parent,
      title: asked.title,
      recorder: asked.recorder,
      isolation: asked.isolation,
      isCurrent: asked.current,
      isOpen: true,
      lentTo: undefined,
      close: async (endClients) => {
        if (!sandbox.isOpen) return []
        const wasCurrent = current === sandbox
        const refuse = (): void => {
          sandbox.isOpen = false
          if (current === sandbox) current = parent?.isOpen === true && parent.isCurrent ? parent : undefined
        }
        const { lentTo, place: used } = sandbox
        if (typeof lentTo === 'object') await lentTo.close()
        const failures =
          used instanceof World
            ? await closeSandbox(used, asked.title, endClients, refuse)
            : await used.close(endClients, refuse, (work) => inBackground.add(work))
        sandboxes.delete(database)
        giveBack()
        if (wasCurrent && !isClosed) await takeListeners()
        if (used instanceof World && used !== (parent ?? lender)?.place) {
          if (used.broken === undefined && !used.isWornOut && !isClosed && !budget.isShort) idleWorlds.put(used)
          else await idleWorlds.discard(used).catch((error: unknown) => failures.push(error))
        }
        return failures
      },
    }
    sandboxes.set(database, sandbox)
    if (lender !== undefined) lender.lentTo = sandbox
    if (asked.current) {
      current = sandbox
      await takeListeners()
    }
    return sandbox
  }

  const close = async (): Promise<void> => {
    if (isClosed) return
    isClosed = true
    for (const sandbox of [...sandboxes.values()].toReversed()) await sandbox.close()
    for (const connection of connections) connection.destroy()
    stopYielding()
    leaveAlone()
    await new Promise<void>((resolve) => listener.close(() => resolve()))
    await inBackground.settled()
    await idleWorlds.close()
  }

  const refuseStable = (refusal: StableRefusal): (() => void) => {
    stableRefusal = refusal
    return () => {
      if (stableRefusal === refusal) stableRefusal = undefined
    }
  }

  return { url: urlOf(stableDatabase), ready, openSandbox, refuseStable, serve, close, [Symbol.asyncDispose]: close }
}

/** `VIVARIUM_TRANSPORT=tcp` sends this process's own connections through TCP too, to look for a difference. */
function usesTcpOnly(environment: NodeJS.ProcessEnv): boolean {
  return environment['VIVARIUM_TRANSPORT'] === 'tcp'
}

/** One that has begun something, or whose failed transaction was not ended. */
function busyConnection({ scheduler, adrift }: World): VirtualConnection | undefined {
  return (scheduler.top as VirtualConnection | undefined) ?? [...adrift][0]
}

function refuseOpenTransaction(place: World | DatabaseWorld, title: string): void {
  const busy = place instanceof World ? busyConnection(place) : place.busyGuest
  if (busy === undefined) return
  const { id } = busy
  const { runningText, transactionText } = busy instanceof VirtualConnection ? busy.units : busy
  throw new VivariumError('TRANSACTION_LEFT_OPEN', {
    what: `The sandbox "${title}" cannot be opened inside another one: connection ${id} is in the middle of something.`,
    seen: runningText ?? transactionText,
    remedy:
      'Await the statement, and commit or roll back the transaction, before the next test begins (see beforeAll and beforeEach).',
  })
}

function lentPlace(parent: string, title: string): VivariumError {
  return new VivariumError('SANDBOX_ALREADY_OPEN', {
    what: `The sandbox "${title}" cannot be opened inside "${parent}": a concurrent one works in its database.`,
    remedy: 'Open it when the concurrent ones have closed, or open it as a concurrent one as well.',
  })
}

/** One inside the other with another isolation: what the outer one wrote would not be there. */
function refuseMixed(parent: OpenSandbox, asked: OpenPostgresSandboxOptions): void {
  for (let sandbox: OpenSandbox | undefined = parent; sandbox !== undefined; sandbox = sandbox.parent) {
    const change = firstChange(sandbox)
    if (change === undefined) continue
    throw new VivariumError('ISOLATION_MIXED', {
      what: `The sandbox "${asked.title}" of isolation '${asked.isolation}' cannot see what the one around it, of isolation '${sandbox.isolation}', has done.`,
      seen: `"${sandbox.title}" ran: ${change.trim()}`,
      remedy:
        `Give both the same isolation (the file's and its tests'), or do that work inside the test instead of beforeAll. ` +
        'Sandboxes of different isolations nest only while the outer one has written nothing.',
    })
  }
}

function firstChange({ place, recorder }: OpenSandbox): string | undefined {
  if (place instanceof DatabaseWorld) return place.firstChange
  const statements = [...interactionsWith('postgres', recorder.interactions), ...recorder.ownStatements]
  return statements.find((statement) => !changesNothing(statement))?.text
}
