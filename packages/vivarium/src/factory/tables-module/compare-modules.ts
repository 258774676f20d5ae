/** What a module of tables says otherwise than the database. */
export interface TablesDifference {
  /** Where: a table's name, or the module's top. */
  readonly table: string
  /** Lines that only the file has. */
  readonly surplus: readonly string[]
  /** Lines that only the database gives. */
  readonly missing: readonly string[]
}

/** Where `actual` differs from `wanted`, table by table. How it is laid out (quotes, semicolons, breaks) does not matter. */
export function compareTablesModules(actual: string, wanted: string): readonly TablesDifference[] {
  if (plain(actual) === plain(wanted)) return []
  const [ours, theirs] = [sections(wanted), sections(actual)]
  return [...new Set([...ours.keys(), ...theirs.keys()])].flatMap((table) => {
    const there = theirs.get(table) ?? []
    const here = ours.get(table) ?? []
    const surplus = without(there, here)
    const missing = without(here, there)
    return surplus.length + missing.length === 0 ? [] : [{ table, surplus, missing }]
  })
}

/** Differences as lines: `+` is what the database has, `-` what the file has. */
export function renderTablesDifferences(differences: readonly TablesDifference[]): string {
  return differences
    .map(({ table, surplus, missing }) =>
      [`  ${table}`, ...surplus.map((line) => `    - ${line}`), ...missing.map((line) => `    + ${line}`)].join('\n'),
    )
    .join('\n')
}

function plain(text: string): string {
  return text
    .replaceAll(/^\s*\/\/.*$/gm, '')
    .replaceAll('"', "'")
    .replaceAll(/[;,]/g, ' ')
    .replaceAll(/\s+/g, '')
    .replaceAll(/=\|/g, '=')
}

/** The lines of each table, each with the part that it stands in. */
function sections(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  let table = 'the types'
  let part = ''
  for (const line of text.split('\n')) {
    const opened = /^( *)(?:readonly )?(['"]?)([^:]+?)\2: (\{|object)[;,]?$/.exec(line.trimEnd())
    const depth = opened?.[1]?.length
    const content = line.trim().replace(/[;,]$/, '').replaceAll('"', "'")
    if (depth === 2) {
      table = opened?.[3] ?? ''
      found.set(table, found.get(table) ?? [])
      if (opened?.[4] === '{') found.get(table)?.push('the table')
    } else if (depth === 4) part = opened?.[3] ?? ''
    else if (content !== '' && !content.startsWith('//') && !/^(\}|export interface Tables \{)$/.test(content)) {
      const where = content.startsWith('export type ') ? 'the types' : table
      found.set(where, [...(found.get(where) ?? []), where === 'the types' ? content : `${part} ${content}`])
    }
  }
  return found
}

function without(lines: readonly string[], others: readonly string[]): readonly string[] {
  return lines.filter((line) => !others.includes(line))
}
