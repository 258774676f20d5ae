import type { ConnectionState } from './connection-state.ts'
import { AdvisoryLocks } from './advisory-locks.ts'
import type { ClientNames } from './client-names.ts'
import { withTemporary } from './connection-state.ts'
import { dropStatement, upToDepth } from './temporary-objects.ts'

/** A connection that has made something which ends with it. */
export interface Leaver {
  readonly id: number
  /** As the server's answers have confirmed it. */
  state: ConnectionState
  readonly names: ClientNames
  /** Where it has to say that it ends. */
  readonly leavesIn: Set<SessionLeftovers>
}

/** Descriptors are small numbers, given out from 0 (be-fsstubs.c, newLOfd), and of no use after their transaction. */
const closeLargeObjects = `DO LANGUAGE plpgsql $$ BEGIN
  FOR descriptor IN 0..63 LOOP
    BEGIN PERFORM pg_catalog.lo_close(descriptor); EXCEPTION WHEN undefined_object THEN NULL; END;
  END LOOP;
END $$`

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
  readonly #locks: Map<Leaver, AdvisoryLocks> = new Map()
  readonly #stalePortals: string[]
  /** Made by connections that are gone; a sandbox's rollback brings those of the outer ones back. */
  #gone: Gone[] = []
  #due: string[] = []

  /** `stalePortals`: real names of portals that the next unit closes. */
  constructor(stalePortals: string[]) {
    this.#stalePortals = stalePortals
  }

  /** The connection may have something now. */
  note(owner: Leaver): void {
    this.#owners.add(owner)
    owner.leavesIn.add(this)
  }

  /** Some connection has, or may have, something. */
  get hasOwners(): boolean {
    return this.#owners.size > 0
  }

  /** A statement that may take or give back advisory locks of the session has completed. */
  noteLocks(owner: Leaver, text: string, params: readonly (string | Uint8Array | null)[]): void {
    const locks = this.#locks.get(owner) ?? new AdvisoryLocks()
    locks.note(text, params)
    if (locks.isEmpty) this.#locks.delete(owner)
    else {
      this.#locks.set(owner, locks)
      this.note(owner)
    }
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

  /** A large object was opened in the transaction that is open now. */
  hasOpenedLargeObject = false

  /** A transaction of the application has committed: `steps` are what the next unit begins with. */
  add(steps: readonly string[]): void {
    if (steps.length > 0) this.#due.push(...steps)
    if (!this.hasOpenedLargeObject) return
    this.hasOpenedLargeObject = false
    this.#due.push(closeLargeObjects)
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
    const locks = this.#locks.get(owner)
    this.#locks.delete(owner)
    if (locks !== undefined) this.#due.push(...locks.release(this.#locks.size === 0))
    this.#stalePortals.push(...owner.names.cursors.keys())
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
    }
    // The rollback gives back every lock of the session.
    this.#locks.clear()
    if (depth === 0) this.#owners.clear()
    if (!ran) return
    this.#due = this.#gone.length === 0 ? [] : [dropStatement(this.#gone.map(({ name }) => name))]
  }
}
