import { encodeParameterStatus } from '../protocol/backend.ts'
import { guardSetting } from './settings.ts'

const nothingDue: readonly Buffer[] = []

/** What one client was last told of each setting that the server reports. */
export class ToldSettings {
  readonly #told = new Map<string, string>()
  /** The session's reports that were all passed on, while nothing else has been said to the client since. */
  #allToldOf: ReadonlyMap<string, string> | undefined

  /** Notes what the client is being told; false when it has been told the same before. */
  note(name: string, value: string): boolean {
    if (this.#told.get(name) === value) return false
    this.#told.set(name, value)
    this.#allToldOf = undefined
    return true
  }

  /** What is to be said of what the session has reported, whichever connection's turn it was; of our guard what the client has set. */
  due(reported: ReadonlyMap<string, string>, isReadOnly: boolean): readonly Buffer[] {
    const guard = [guardSetting, isReadOnly ? 'on' : 'off'] as const
    if (this.#allToldOf === reported && this.#told.get(guardSetting) === guard[1]) return nothingDue
    // The server says nothing when a connection sets what another one has set before it.
    const others = this.#allToldOf === reported ? [] : [...reported].filter(([name]) => name !== guardSetting)
    const due = [...others, guard].filter(([name, value]) => this.note(name, value))
    this.#allToldOf = reported
    return due.map(([name, value]) => encodeParameterStatus(name, value))
  }
}
