/** A Content-Type header, taken apart. */
export interface MediaType {
  /** `application/json`, in small letters. */
  readonly type: string
  /** By their names in small letters. */
  readonly parameters: ReadonlyMap<string, string>
}

/** Reads a Content-Type header; `undefined` where it is none. */
export function parseMediaType(text: string): MediaType | undefined {
  const [, type = '', rest = ''] = /^\s*([^\s;,/]+\/[^\s;,/]+)\s*((?:;.*)?)$/s.exec(text) ?? []
  if (type === '') return undefined
  const parameters = new Map<string, string>()
  for (const [, name = '', quoted, plain = ''] of rest.matchAll(
    /;\s*([^\s=;]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))/g,
  )) {
    parameters.set(name.toLowerCase(), quoted === undefined ? plain.trim() : quoted.replaceAll(/\\(.)/g, '$1'))
  }
  return { type: type.toLowerCase(), parameters }
}

/** The key of a `content` object that a media type is meant by: itself, then `text/*`, then everything. */
export function matchingKey(keys: readonly string[], media: MediaType): string | undefined {
  let best: string | undefined
  let bestRank = 0
  for (const key of keys) {
    const wanted = parseMediaType(key)
    const rank = wanted === undefined ? 0 : rankOf(wanted, media)
    if (rank > bestRank) {
      best = key
      bestRank = rank
    }
  }
  return best
}

/** Of a `content` object's keys the one that an Accept header likes best; JSON where it does not care. */
export function acceptedKey(keys: readonly string[], accept: string | undefined): string | undefined {
  const ranges = (accept ?? '*/*').split(',').flatMap((part) => {
    const range = parseMediaType(part)
    return range === undefined ? [] : [{ range, quality: Number(range.parameters.get('q') ?? 1) }]
  })
  let best: string | undefined
  let bestScore = 0
  for (const key of keys) {
    const media = parseMediaType(key)
    if (media === undefined) continue
    // The range that speaks of it most exactly decides.
    const exactest = ranges
      .map(({ range, quality }) => ({ rank: rankOf({ ...range, parameters: noParameters }, media), quality }))
      .reduce((one, other) => (other.rank > one.rank ? other : one), { rank: 0, quality: 0 })
    const score = exactest.rank === 0 ? 0 : exactest.quality * 2 + (isJson(media.type) ? 1 : 0)
    if (exactest.quality > 0 && score > bestScore) {
      best = key
      bestScore = score
    }
  }
  return best
}

/** Whether a body of this type is JSON. */
export function isJson(type: string): boolean {
  return type === 'application/json' || type.endsWith('+json') || type === 'text/json'
}

const noParameters: ReadonlyMap<string, string> = new Map()

/** How exactly a range or type means a media type; 0: not at all. */
function rankOf(wanted: MediaType, media: MediaType): number {
  for (const [name, value] of wanted.parameters) {
    if (name !== 'charset' && media.parameters.get(name) !== value) return 0
  }
  if (wanted.type === media.type) return 4 + wanted.parameters.size
  const [kind = '', subtype = ''] = wanted.type.split('/')
  if (wanted.type === '*/*') return 1
  if (subtype === '*' && media.type.startsWith(`${kind}/`)) return 2
  // `application/*+json`, as some write it.
  return subtype.startsWith('*+') && media.type.startsWith(`${kind}/`) && media.type.endsWith(subtype.slice(1)) ? 3 : 0
}
