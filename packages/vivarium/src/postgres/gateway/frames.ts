import type { ConnectionState } from './connection-state.ts'
import { noSettings } from './settings.ts'
import type { Settings } from './settings.ts'

/**
 * What a frame's savepoint in the real session holds:
 * `none` (there is no savepoint) → `open` (a unit or transaction is in it) → `done` (its work stays), `failed` (its work
 * goes) or `unused` (it has only read: the next one takes the savepoint over). What ends one travels as a prefix of the
 * next: a message behind COPY FROM STDIN would kill the session.
 */
export type UnitSavepoint = 'none' | 'open' | 'done' | 'failed' | 'unused'

/** The connection whose unit or transaction a frame is. */
export interface FrameOwner {
  readonly id: number
  /** As the server's answers have confirmed it. */
  readonly state: ConnectionState
}

/** Something that a statement changed. */
export interface Work {
  readonly owner: FrameOwner
  readonly text: string
  /** Its owner was told that it is committed, and it stands or falls with another connection's transaction. */
  readonly isCommitted: boolean
  /** How many savepoints of the frame's owner are around it. */
  readonly depth: number
}

/** Work that was lost although its owner was told that it is committed. */
export interface LostWork {
  readonly lost: readonly Work[]
  /** Whose rollback it was, and what made it. */
  readonly by: FrameOwner | undefined
  readonly reason: string
}

/** What ends the frames above one: statements to send, and the settings that the session has then gone back to. */
export interface Uncovered {
  readonly statements: readonly string[]
  readonly wentBackTo: Settings | undefined
}

const nothingAbove: Uncovered = { statements: [], wentBackTo: undefined }

/** One unit or transaction in the real session: frame 0 is the outermost, each further one runs inside the one below. */
export class Frame {
  readonly index: number
  /** Name of the savepoint that this frame makes for itself. */
  readonly unitName: string
  /** The statements that make and release that one: sent with nearly every unit, so their texts are made once. */
  readonly makesUnit: string
  readonly releasesUnit: string
  /** Name of the savepoint that it has: a sandbox's first unit needs none of its own, the sandbox's will do. */
  name: string
  state: UnitSavepoint = 'none'
  owner: FrameOwner | undefined
  /** Settings of the real session when its savepoint was made. */
  appliedAtStart: Settings = noSettings
  isReadOnly: boolean = false
  /** Its owner was told of a failure that the real session has not had yet. */
  owesFailure: boolean = false
  /** Its owner's innermost savepoint was undone and released, so that others could run: it is made again. */
  reopens: boolean = false
  /** Its deferred constraints cannot be told from those that the transaction around it violates. */
  isUnchecked: boolean = false
  /** The warning that it runs inside another one has been given. */
  hasWarned: boolean = false
  /** Its owner's READ ONLY was taken off, so that others can write: it is put on again. */
  reopensReadOnly: boolean = false
  /** It has changed something, whether or not that was undone since. */
  hasChanged: boolean = false
  /** Transaction ids that the session had when it began: one more means that it has changed something. */
  idsAtStart: number = 0
  work: Work[] = []

  constructor(index: number) {
    this.index = index
    this.unitName = index === 0 ? 'vivarium_unit' : `vivarium_unit${index}`
    this.name = this.unitName
    this.makesUnit = `SAVEPOINT ${this.unitName}`
    this.releasesUnit = `RELEASE SAVEPOINT ${this.unitName}`
  }
}

/**
 * The frames of one real session, a stack. Those that are open lie at its bottom, each of another connection; above them
 * lie finished ones, which the next prefix ends. Pure: it says which statements to send and keeps the books.
 */
export class Frames {
  #frames: Frame[] = [new Frame(0)]
  #current: Frame = this.#frames[0] as Frame
  readonly #onLost: (lost: LostWork) => void

  constructor(onLost: (lost: LostWork) => void) {
    this.#onLost = onLost
  }

  /** The frame of the connection whose turn it is. */
  get current(): Frame {
    return this.#current
  }

  /** The frame that the current one runs inside of. */
  get host(): Frame | undefined {
    const { index } = this.#current
    return index === 0 ? undefined : this.#frames[index - 1]
  }

  /** The session has been used by others since the current frame's last statement. */
  get isCovered(): boolean {
    return this.#frames.length - 1 > this.#current.index
  }

  /** A connection's open frame. */
  of(owner: FrameOwner): Frame | undefined {
    return this.#frames.find((frame) => frame.owner === owner && frame.state === 'open')
  }

  /** It is the owner's turn: in its open frame, or in a new one on top of all that are open. */
  enter(owner: FrameOwner): void {
    // Alone, which it is nearly always.
    if (this.#frames.length === 1 && (this.#current.owner === owner || this.#current.state !== 'open')) {
      this.#current.owner = owner
      return
    }
    const own = this.of(owner)
    if (own !== undefined) {
      this.#current = own
      return
    }
    const index = this.#frames.findLastIndex((frame) => frame.state === 'open') + 1
    this.#frames[index] ??= new Frame(index)
    this.#current = this.#frames[index]
    this.#current.owner = owner
  }

  /**
   * Ends the finished frames above the current one. Returns the statements to send, and the settings that the real
   * session has gone back to, if it has.
   */
  uncover(): Uncovered {
    if (!this.isCovered) return nothingAbove
    const above = this.#frames.splice(this.#current.index + 1).filter(({ state }) => state !== 'none')
    // A rollback to the current frame's own savepoint takes them along.
    if (this.#current.state === 'failed' || above.length === 0) return nothingAbove
    const failed = above.find(({ state }) => state === 'failed')
    const statements = failed === undefined ? [] : [`ROLLBACK TO SAVEPOINT ${failed.name}`]
    return {
      statements: [...statements, `RELEASE SAVEPOINT ${(above[0] as Frame).name}`],
      wentBackTo: failed?.appliedAtStart,
    }
  }

  /** The real session went back to the current frame's savepoint: what was above is gone. */
  dropAbove(): void {
    this.#frames.length = this.#current.index + 1
  }

  /** The sandbox is closed: none of this exists any more. */
  reset(): void {
    this.#frames = [new Frame(0)]
    this.#current = this.#frames[0] as Frame
  }

  /** With nobody's turn: the outermost frame is the current one. */
  leave(): void {
    this.#current = this.#frames[0] as Frame
  }

  /** A statement of the current frame has changed something. */
  changed(text: string): void {
    const { index, owner } = this.#current
    // What the outermost has done is nobody else's to lose.
    if (index === 0 || owner === undefined) return
    this.#current.hasChanged = true
    this.#current.work.push({ owner, text, isCommitted: false, depth: depthOf(owner) })
  }

  /** The frame is over, and its work stays (`done`) or goes (`failed`). */
  end(frame: Frame, state: UnitSavepoint): void {
    frame.state = state
    frame.owesFailure = false
    frame.reopens = false
    frame.reopensReadOnly = false
  }

  /** The server has confirmed it: inside another frame, what this one did stands or falls with that from here on. */
  workStays(frame: Frame): void {
    const { work, index } = frame
    if (work.length === 0) return
    frame.work = []
    const host = index === 0 ? undefined : this.#frames[index - 1]
    if (host?.owner === undefined) return
    const depth = depthOf(host.owner, host.reopens)
    host.work.push(...work.map((each) => ({ ...each, isCommitted: true, depth })))
    // The one around it has ended already, and what it did goes.
    if (host.state === 'failed') this.workGoes(host, 'before it had ended')
  }

  /** What the frame did goes, for that reason. */
  workGoes(frame: Frame, reason: string): void {
    this.#lose(frame, reason, () => true)
  }

  /** The frame's owner went back to its savepoint at this index. */
  rolledBackTo(frame: Frame, index: number, reason: string): void {
    this.#lose(frame, reason, ({ depth }) => depth > index)
  }

  /** The frame's owner released its savepoint at this index. */
  released(frame: Frame, index: number): void {
    frame.work = frame.work.map((each) => (each.depth > index ? { ...each, depth: index } : each))
  }

  #lose(frame: Frame, reason: string, isLost: (work: Work) => boolean): void {
    if (frame.work.length === 0) return
    const lost = frame.work.filter((each) => each.isCommitted && isLost(each))
    frame.work = frame.work.filter((each) => !isLost(each))
    if (lost.length > 0) this.#onLost({ lost, by: frame.owner, reason })
  }
}

/** How many savepoints of the application are around what runs in its transaction now. */
function depthOf({ state }: FrameOwner, reopens = false): number {
  const depth = state.status === 'idle' ? 0 : state.transaction.savepoints.length
  return reopens ? depth - 1 : depth
}
