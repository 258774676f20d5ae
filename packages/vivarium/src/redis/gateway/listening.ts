import type { Request } from '../protocol/request-parser.ts'
import { writeRequest } from '../protocol/requests.ts'
import type { Outlet } from './outlet.ts'
import { type ListeningPlace, subscribeWith, subscriptionCommands, type Subscriptions } from './subscriptions.ts'

/** What one client listens to, and the commands for it. It belongs to the connection: no sandbox has to be open for it. */
export class Listening {
  readonly #subscriptions: Subscriptions
  readonly #outlet: Outlet

  constructor(subscriptions: Subscriptions, outlet: Outlet) {
    this.#subscriptions = subscriptions
    this.#outlet = outlet
  }

  /** Whether anything is listened to that lies elsewhere. */
  isOutside(place: ListeningPlace): boolean {
    return !this.#subscriptions.isEmpty && this.#subscriptions.place !== place
  }

  /** SUBSCRIBE and its like. `place` is where the names are. */
  begin(request: Request, name: string, place: ListeningPlace): void {
    if (this.#isRefused(name)) return
    const { kind } = subscriptionCommands[name]!
    const names = request.slice(1)
    if (names.length === 0) return this.#outlet.write(writeRequest(request), { name })
    if (this.isOutside(place)) void this.move(place)
    const real = this.#subscriptions.add(kind, names, place)
    this.#outlet.write(writeRequest([request[0]!, ...real]), { name, confirmations: names.length })
  }

  /** UNSUBSCRIBE and its like. */
  end(request: Request, name: string): void {
    if (this.#isRefused(name)) return
    const { kind } = subscriptionCommands[name]!
    const names = request.slice(1)
    const confirmations = names.length > 0 ? names.length : Math.max(1, this.#subscriptions.count(kind))
    const real = this.#subscriptions.realNames(kind, names)
    this.#outlet.write(writeRequest([request[0]!, ...real]), { name, confirmations })
  }

  /** Everything is listened to elsewhere from now on. Resolves when the server has confirmed it, or never will. */
  async move(place: ListeningPlace): Promise<void> {
    const moved: Promise<void>[] = []
    for (const { kind, old, now: names } of this.#subscriptions.move(place)) {
      const [begin, end] = subscribeWith[kind]
      moved.push(this.#send([end, ...old], old.length), this.#send([begin, ...names], names.length))
    }
    this.#outlet.upstream.flush()
    await Promise.all(moved)
  }

  #isRefused(name: string): boolean {
    if (this.#outlet.transaction === undefined) return false
    this.#outlet.refuse(name, 'it is not possible inside of MULTI')
    return true
  }

  #send(request: readonly (Buffer | string)[], confirmations: number): Promise<void> {
    return new Promise((resolve) => {
      this.#outlet.write(writeRequest(request), { name: '', swallowed: true, confirmations, told: () => resolve() })
    })
  }
}
