import { quoteIdentifier, quoteLiteral } from '../connection/client.ts'

/**
 * What a clone may still be used for, as the comment of its database, so that whoever finds it after its holder died
 * knows too:
 *
 * - `unused`: nobody has worked in it; it is as the template;
 * - `reusable`: whatever was done in it was rolled back; sequences may have moved;
 * - no mark: something may be committed in it, or it is not whole. It can only be dropped.
 */
export type CloneMark = 'unused' | 'reusable'

const texts: Readonly<Record<CloneMark, string>> = {
  unused: 'Vivarium: a copy that nobody has used yet',
  reusable: 'Vivarium: a copy in which everything is rolled back',
}

/** The statement that marks a clone, or takes its mark away. */
export function markStatement(database: string, mark: CloneMark | undefined): string {
  const text = mark === undefined ? 'NULL' : quoteLiteral(texts[mark])
  return `COMMENT ON DATABASE ${quoteIdentifier(database)} IS ${text}`
}

export function parseCloneMark(comment: string | null | undefined): CloneMark | undefined {
  if (comment === texts.unused) return 'unused'
  return comment === texts.reusable ? 'reusable' : undefined
}
