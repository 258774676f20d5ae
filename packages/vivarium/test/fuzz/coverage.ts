import { type Message, messageKinds } from './messages.ts'
import type { Standing } from './expectations.ts'

/** What a client may do in any state. */
export type Happening = Message['kind'] | 'vanish' | 'cancel'

const happenings: readonly Happening[] = [...messageKinds, 'vanish', 'cancel']

/** Where a connection may stand when a message comes. */
export const places = [
  'idle',
  'idle, unit open',
  'idle, skipping to Sync',
  'in transaction',
  'in transaction, unit open',
  'in transaction, skipping to Sync',
  'failed',
  'failed, unit open',
  'failed, skipping to Sync',
  'copying in',
  'behind an unanswered unit',
  'waiting for another connection',
] as const

export type Place = (typeof places)[number]

/** How often each kind of message came in each state. */
export class Coverage {
  readonly #counts = new Map<string, number>()

  count(standing: Standing | 'waiting', happening: Happening): void {
    const key = `${standing === 'waiting' ? 'waiting for another connection' : placeOf(standing)}|${happening}`
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  at(place: Place, happening: Happening): number {
    return this.#counts.get(`${place}|${happening}`) ?? 0
  }

  /** Pairs that never met and have no reason to be so. */
  unexplained(among: readonly Place[] = places): string[] {
    return among.flatMap((place) =>
      happenings
        .filter((happening) => this.at(place, happening) === 0 && reasonFor(place, happening) === undefined)
        .map((happening) => `${happening} while ${place}`),
    )
  }

  /** The table, and the reasons of its zeros below it. */
  render(): string {
    const width = Math.max(...places.map(({ length }) => length))
    const columns = happenings.map((happening) => ({ happening, width: Math.max(6, happening.length) }))
    const reasons: string[] = []
    const lines = places.map((place) => {
      const cells = columns.map(({ happening, width }) => {
        const count = this.at(place, happening)
        const reason = reasonFor(place, happening)
        if (count > 0 || reason === undefined) return String(count).padStart(width)
        if (!reasons.includes(reason)) reasons.push(reason)
        return `(${reasons.indexOf(reason) + 1})`.padStart(width)
      })
      return `${place.padEnd(width)}  ${cells.join('  ')}`
    })
    const head = `${''.padEnd(width)}  ${columns.map(({ happening, width }) => happening.padStart(width)).join('  ')}`
    return [head, ...lines, ...reasons.map((reason, index) => `(${index + 1}) ${reason}`)].join('\n')
  }
}

function placeOf({ status, unitOpen, skipping, copying, behind }: Standing): Place {
  if (copying) return 'copying in'
  if (behind) return 'behind an unanswered unit'
  const transaction = status === 'I' ? 'idle' : status === 'T' ? 'in transaction' : 'failed'
  if (skipping) return `${transaction}, skipping to Sync`
  return unitOpen ? `${transaction}, unit open` : transaction
}

/** Why two never meet here. */
function reasonFor(place: Place, happening: Happening): string | undefined {
  if (happening === 'cancel') {
    return place === 'waiting for another connection'
      ? undefined
      : 'a cancel is a race with the end of the statement: scripts that are compared have none, gateway-cancel.test.ts has'
  }
  if (happening === 'vanish' && place === 'behind an unanswered unit') {
    return 'how much a server reads of a client that vanished is a race: a vanishing client has its answers'
  }
  return undefined
}
