import type { ConnectionTarget } from '../connection/target.ts'
import type { World } from './world.ts'

/** A process's worlds that no sandbox uses just now, the first one made while nobody has asked yet. */
export class IdleWorlds {
  readonly first: Promise<World>
  readonly #make: () => Promise<World>
  readonly #idle: Promise<World>[]
  readonly #discarded = new WeakSet<World>()

  constructor(make: () => Promise<World>) {
    this.#make = make
    this.first = make()
    this.#idle = [this.first]
  }

  get size(): number {
    return this.#idle.length
  }

  async take(): Promise<World> {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      const world = await idle
      if (world.broken === undefined) return world
      await this.discard(world)
    }
    return this.#make()
  }

  put(world: World): void {
    this.#idle.push(Promise.resolve(world))
  }

  /** Gives one up whose database or connection somebody else needs; false when there is none. */
  async giveUpOne(): Promise<boolean> {
    const idle = this.#idle.pop()
    if (idle === undefined) return false
    // When its lease is lost with its connection, the run's end drops what is left.
    await idle.then((world) => this.discard(world)).catch(() => undefined)
    return true
  }

  async discard(world: World): Promise<void> {
    this.#discarded.add(world)
    await world.session.close()
    await world.lease.release({ drop: world.broken !== undefined || world.isWornOut }).catch((error: unknown) => {
      // A broken world's database may have gone with its server. The run's end drops what is left, and says so when it cannot.
      if (world.broken === undefined) throw error
    })
  }

  /** Calls with a database that is this process's own: the first one, until that is given up. */
  async withDatabase<T>(use: (target: ConnectionTarget) => Promise<T>): Promise<T> {
    const first = await this.first
    if (!this.#discarded.has(first)) return use(first.lease.target)
    const world = await this.take()
    try {
      return await use(world.lease.target)
    } finally {
      this.put(world)
    }
  }

  async close(): Promise<void> {
    for (const idle of await Promise.allSettled(this.#idle.splice(0))) {
      if (idle.status === 'fulfilled') await this.discard(idle.value)
    }
  }
}
