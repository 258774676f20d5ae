import type { Isolation } from '../core/options.ts'

/** A tag for Vitest, which refuses those that its configuration does not define. */
interface IsolationTag {
  readonly name: string
  readonly description: string
  readonly isolation: Isolation
}

const known: readonly IsolationTag[] = [
  {
    name: 'isolation/transaction',
    description: 'Vivarium: in one transaction, rolled back at the end',
    isolation: 'transaction',
  },
  {
    name: 'isolation/database',
    description: 'Vivarium: in a database of its own, with real commits',
    isolation: 'database',
  },
]

/** The tags that run a test, a suite or a file in an isolation, whatever that of the run is: for Vitest's `test.tags`. */
export const isolationTags: readonly Pick<IsolationTag, 'name' | 'description'>[] = known.map(
  ({ name, description }) => ({ name, description }),
)

/** The isolation that a task's tags ask for, `undefined` when they ask for none. */
export function taggedIsolation(tags: readonly string[] = []): Isolation | undefined {
  // A task's own come behind those of what is around it, and so win.
  const tag = tags.findLast((name) => known.some((one) => one.name === name))
  return known.find(({ name }) => name === tag)?.isolation
}
