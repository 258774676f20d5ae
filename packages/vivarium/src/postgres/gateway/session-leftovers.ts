import type { ConnectionState } from './connection-state.ts'
import { withTemporary } from './connection-state.ts'
import { dropStatement, upToDepth } from './temporary-objects.ts'

/** A connection that has made something which ends with it. */
export interface Leaver {
  readonly id: number
  /** As the server's answers have confirmed it. */
  state: ConnectionState
  /** Where it has to say that it ends. */
  readonly leavesIn: Set<SessionLeftovers>
}

interface Gone {
  readonly name: string
  readonly depth: number
}

/**
 * What connections leave in the one session that in production ends with their own: temporary objects. What is to be
 * done about it travels as a prefix of the next unit.
 */
export class SessionLeftovers {
  readonly #owners: Set<Leaver> = new Set()
  /** Made by connections that are gone; a sandbox's rollback brings those of the outer ones back. */
  #gone: Gone[] = []
  #due: string[] = []

  /** The connection may have something now. */
  note(owner: Leaver): void {
    this.#owners.add(owner)
    owner.leavesIn.add(this)
  }

  /** Which other connection has made a temporary object, and which; `findName` finds one of the names in a statement. */
  made(
    by: Leaver,
    findName: (names: (name: string) => boolean) => string | undefined,
  ): { name: string; owner: Leaver } | undefined {
    for (const owner of this.#owners) {
      const { temporary } = owner.state
      if (owner === by || temporary === undefined) continue
      const name = findName((one) => temporary.has(one) && by.state.temporary?.has(one) !== true)
      if (name !== undefined) return { name, owner }
    }
    return undefined
  }

  /** Another connection than this one has something temporary. */
  othersHave(by: Leaver): boolean {
    for (const owner of this.#owners) if (owner !== by && owner.state.temporary !== undefined) return true
    return false
  }

  /** Statements that the next unit begins with. */
  add(steps: readonly string[]): void {
    this.#due.push(...steps)
  }

  /** What is due, and no longer is. */
  take(): string[] {
    if (this.#due.length === 0) return this.#due
    const due = this.#due
    this.#due = []
    return due
  }

  /** A connection has ended. */
  left(owner: Leaver): void {
    if (!this.#owners.delete(owner)) return
    const { temporary } = owner.state
    if (temporary === undefined) return
    this.#gone.push(...[...temporary].map(([name, { depth }]) => ({ name, depth })))
    this.#due.push(dropStatement([...temporary.keys()]))
  }

  /** The innermost sandbox was rolled back (`ran`: something had run in it); `depth` are open now. */
  levelClosed(depth: number, ran: boolean): void {
    this.#gone = this.#gone.filter((gone) => gone.depth <= depth)
    for (const owner of this.#owners) {
      owner.state = withTemporary(owner.state, upToDepth(owner.state.temporary, depth))
      if (owner.state.temporary === undefined) this.#owners.delete(owner)
    }
    if (!ran) return
    this.#due = this.#gone.length === 0 ? [] : [dropStatement(this.#gone.map(({ name }) => name))]
  }
}
