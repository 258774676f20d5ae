import type { ObservedCommand, Trace } from '../core/interactions.ts'

/** What was done with one key of a cache. */
export type CacheUseKind = 'hit' | 'miss' | 'set' | 'delete'

/** One key, used once. */
export interface CacheUse {
  readonly kind: CacheUseKind
  readonly key: string
  /** Milliseconds after which what was set expires: from the command itself, or an EXPIRE that followed it. */
  readonly ttlMs: number | undefined
  readonly command: ObservedCommand
}

/** A key: equal to a text, matched by a regular expression or an asymmetric matcher (`expect.stringContaining(…)`). */
export type KeyPattern = string | RegExp | { asymmetricMatch(value: unknown): boolean }

/** A number of milliseconds, or an asymmetric matcher for it. */
export type TtlPattern = number | { asymmetricMatch(value: unknown): boolean }

/** What is looked for. */
export interface CacheUsePattern {
  readonly kind: CacheUseKind
  readonly key?: KeyPattern | undefined
  readonly ttlMs?: TtlPattern | undefined
}

/** A trace's commands: a sandbox has them, and an observation. */
export type CommandTrace = Pick<Trace, 'commands'>

/** Commands that change when a key expires, and nothing else. */
const expires: ReadonlySet<string> = new Set(['EXPIRE', 'PEXPIRE', 'EXPIREAT', 'PEXPIREAT', 'PERSIST', 'GETEX'])

/** What was done with which key, in order. */
export function cacheUses({ commands }: CommandTrace): readonly CacheUse[] {
  return commands.flatMap((command, index) => {
    if (command.error !== undefined) return []
    const use = (kind: CacheUseKind) => (key: string) => ({ kind, key, ttlMs: undefined, command })
    const uses: CacheUse[] = [...command.hits.map(use('hit')), ...command.misses.map(use('miss'))]
    if (command.effect === 'delete') uses.push(...command.keys.map(use('delete')))
    if (command.effect === 'write' && !expires.has(command.command)) {
      for (const key of command.keys)
        uses.push({ ...use('set')(key), ttlMs: ttlOf(command, key, commands.slice(index + 1)) })
    }
    return uses
  })
}

/** The uses that a pattern means. */
export function findCacheUses(uses: readonly CacheUse[], pattern: CacheUsePattern): readonly CacheUse[] {
  return uses.filter(
    ({ kind, key, ttlMs }) =>
      kind === pattern.kind &&
      (pattern.key === undefined || matchesKey(key, pattern.key)) &&
      (pattern.ttlMs === undefined || matchesTtl(ttlMs, pattern.ttlMs)),
  )
}

function ttlOf(command: ObservedCommand, key: string, later: readonly ObservedCommand[]): number | undefined {
  if (command.ttlMs !== undefined) return command.ttlMs
  for (const next of later) {
    if (!next.keys.includes(key) || next.error !== undefined) continue
    if (expires.has(next.command)) return next.ttlMs
    if (next.effect !== 'read') return undefined
  }
  return undefined
}

function matchesKey(key: string, pattern: KeyPattern): boolean {
  if (typeof pattern === 'string') return key === pattern
  return pattern instanceof RegExp ? key.search(pattern) >= 0 : pattern.asymmetricMatch(key)
}

function matchesTtl(ttlMs: number | undefined, pattern: TtlPattern): boolean {
  return typeof pattern === 'number' ? ttlMs === pattern : pattern.asymmetricMatch(ttlMs)
}
