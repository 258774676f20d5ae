import type { CacheUse, CacheUseKind, CacheUsePattern } from './cache-uses.ts'

const width = 80
const mostShown = 20

const done: Readonly<Record<CacheUseKind, string>> = { hit: 'hit', miss: 'missed', set: 'set', delete: 'deleted' }
const nouns: Readonly<Record<CacheUseKind, readonly [one: string, many: string]>> = {
  hit: ['hit', 'hits'],
  miss: ['miss', 'misses'],
  set: ['set', 'sets'],
  delete: ['delete', 'deletes'],
}

/** `2 hits of "user:1"`. */
export function describePattern({ kind, key, ttlMs }: CacheUsePattern, count?: number): string {
  const [one, many] = nouns[kind]
  const what = count === undefined ? one : `${count} ${count === 1 ? one : many}`
  const of = key === undefined ? '' : ` of ${show(key)}`
  return `${what}${of}${ttlMs === undefined ? '' : ` for ${show(ttlMs)} ms`}`
}

/** Everything that was done with the cache, a line each, what was meant marked. */
export function renderUses(title: string, uses: readonly CacheUse[], meant: readonly CacheUse[]): string {
  if (uses.length === 0) return `${title}\n  Nothing was read from, set in or deleted from the cache.`
  const lines = uses.slice(0, mostShown).map((use) => {
    const ttl = use.ttlMs === undefined ? '' : ` for ${use.ttlMs} ms`
    const end = `${use.command.command}, ${done[use.kind]}${ttl}`
    const room = width - end.length - 6
    const key = use.key.length > room ? `${use.key.slice(0, room - 1)}…` : use.key
    return `  ${meant.includes(use) ? '*' : ' '} ${key}  ${end}`
  })
  if (uses.length > mostShown) lines.push(`    and ${uses.length - mostShown} more`)
  return [title, '  What was done with the cache:', ...lines].join('\n')
}

function show(pattern: unknown): string {
  if (typeof pattern === 'string') return JSON.stringify(pattern)
  if (typeof pattern === 'object' && pattern !== null && !(pattern instanceof RegExp)) {
    const matcher = pattern as { toAsymmetricMatcher?(): string }
    if (typeof matcher.toAsymmetricMatcher === 'function') return matcher.toAsymmetricMatcher()
  }
  return String(pattern)
}
