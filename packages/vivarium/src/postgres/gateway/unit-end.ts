import type { MessageFields } from '../protocol/server-message.ts'
import { passedOn } from './reply.ts'
import type { Reply, ReplyVerdict } from './reply.ts'
import type { Unit } from './unit.ts'

/** What is done with the answers to the statements of a unit's last message, where that is not a Sync. */
export type QueryAnswers = Pick<Reply, 'onReached' | 'onTag' | 'onError' | 'onNotice' | 'showsRows'>

/** Where deferred constraints are checked: in an extended unit before its Sync, behind a Query, or after its answer. */
export type PlaceOfCheck = 'none' | 'before' | 'behind' | 'after'

/** What is awaited for a unit's last message: a Query, a function call or a Sync. */
export class UnitEnd implements Reply {
  readonly until = 'ready'
  readonly visible = true
  readonly isSkippable: boolean
  readonly #unit: Unit
  readonly #check: PlaceOfCheck
  readonly #answers: QueryAnswers | undefined

  constructor(unit: Unit, check: PlaceOfCheck, answers: QueryAnswers | undefined) {
    this.#unit = unit
    this.#check = check
    this.#answers = answers
    this.isSkippable = answers !== undefined
  }

  onReached(): void {
    this.#answers?.onReached?.()
  }

  showsRows(): boolean {
    return this.#answers?.showsRows?.() ?? true
  }

  onNotice(fields: MessageFields): boolean {
    return this.#answers?.onNotice?.(fields) === true
  }

  onTag(tag: string | undefined): ReplyVerdict {
    return this.#answers?.onTag?.(tag) ?? passedOn
  }

  onError(fields: MessageFields): Buffer | undefined {
    return this.#answers?.onError?.(fields)
  }

  onCopyIn(): void {
    this.#unit.startCopyIn()
  }

  onReady(status: string): 'I' | 'T' | 'E' | undefined {
    return this.#unit.ready(status, this.#check)
  }

  onFinished(): void {
    this.#unit.finished(this.#check)
  }
}
