import type { ObservedQuery } from '../../core/interactions.ts'

const harmless = new Set([
  'SHOW',
  'SET',
  'RESET',
  'BEGIN',
  'START TRANSACTION',
  'COMMIT',
  'ROLLBACK',
  'SAVEPOINT',
  'RELEASE',
  'PREPARE',
  'DEALLOCATE',
  'DEALLOCATE ALL',
  'DISCARD ALL',
  'LISTEN',
  'UNLISTEN',
  'NOTIFY',
  'SET CONSTRAINTS',
  'LOCK TABLE',
  'CLOSE CURSOR',
  'CLOSE CURSOR ALL',
])

/** Whether a statement certainly left the database as it was. A SELECT that calls a function may write. */
export function changesNothing({ command, text }: Pick<ObservedQuery, 'command' | 'text'>): boolean {
  if (command === undefined || harmless.has(command)) return true
  return command === 'SELECT' && isPlainSelect(text)
}

/**
 * Whether a statement may have changed the database, for whoever would copy it: a failed one (without a tag) too, since
 * sequences do not go back.
 */
export function mayHaveChanged(text: string, tag: string | undefined): boolean {
  if (tag === undefined) return !isPlainSelect(text) && text !== ''
  return !changesNothing({ command: tag.replace(/(?: \d+)+$/, ''), text })
}

/** SELECT … INTO makes a table, and a function may do anything, unless it is one of the server's that everybody knows. */
export function isPlainSelect(text: string): boolean {
  if (!/^\s*select\b/i.test(text) || /\binto\b/i.test(text)) return false
  // A comment may stand between a function's name and its arguments.
  if (text.includes('/*') || text.includes('--')) return false
  for (let at = text.indexOf('('); at !== -1; at = text.indexOf('(', at + 1)) {
    // Texts may have megabytes: no further back than any of the words is long.
    const before = text.slice(Math.max(0, at - 40), at).replace(/[ \t\n\r\f\v]+$/, '')
    if (before === '') return false
    const word = /[\w$."'\u0080-\uffff]*$/.exec(before)?.[0] ?? ''
    if (word !== '' && !readOnly.has(word.toLowerCase())) return false
  }
  return true
}

/** Words before a parenthesis that write nothing: of the language, and functions of the server's own. */
export const readOnly: ReadonlySet<string> = new Set(
  `select from join on using where and or not in any all some exists values as over filter within by when then else
   array row cast extract coalesce nullif greatest least count sum min max avg bool_and bool_or every array_agg string_agg
   json_agg jsonb_agg json_object_agg jsonb_object_agg json_build_object jsonb_build_object json_build_array
   jsonb_build_array to_json to_jsonb row_to_json row_number rank dense_rank lag lead first_value last_value
   lower upper length trim btrim ltrim rtrim substring substr replace concat concat_ws position left right md5 format
   abs ceil ceiling floor round trunc mod power sqrt now date_trunc date_part age to_char to_date to_timestamp make_date
   unnest array_length cardinality generate_series jsonb_array_elements jsonb_array_elements_text jsonb_each
   varchar char character numeric decimal timestamp timestamptz time bit`.split(/\s+/),
)

/** Commands whose tag does not tell what was done. */
const opaque: ReadonlySet<string> = new Set([
  'SELECT',
  'COPY',
  'FETCH',
  'MOVE',
  'CALL',
  'DO',
  'EXPLAIN',
  'DECLARE CURSOR',
])

/** Whether a statement that succeeded has changed something that a rollback takes away. */
export function effectOf(tag: string | undefined, text: string): 'nothing' | 'something' | 'unknown' {
  // An empty text, or a portal that is suspended.
  if (tag === undefined) return text.trim() === '' ? 'nothing' : 'unknown'
  const command = tag.replace(/(?: \d+)+$/, '')
  if (changesNothing({ command, text })) return 'nothing'
  if (opaque.has(command)) return 'unknown'
  return /^(?:INSERT|UPDATE|DELETE|MERGE)(?: \d+)* 0$/.test(tag) ? 'nothing' : 'something'
}
