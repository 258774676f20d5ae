/**
 * Keywords that cannot name a savepoint, cursor, prepared statement or setting (ColId of gram.y): the reserved ones
 * and those that may only name a type or function. PostgreSQL 18's list, which holds all of 14 to 17.
 */
const notColumnNames: ReadonlySet<string> = new Set(
  `all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create
  current_catalog current_date current_role current_time current_timestamp current_user default deferrable desc distinct
  do else end except false fetch for foreign from grant group having in initially intersect into lateral leading limit
  localtime localtimestamp not null offset on only or order placing primary references returning select session_user
  some symmetric system_user table then to trailing true union unique user using variadic when where window with
  authorization binary collation concurrently cross current_schema freeze full ilike inner is isnull join left like
  natural notnull outer overlaps right similar tablesample verbose`.split(/\s+/),
)

const typeOrFunctionNames: ReadonlySet<string> = new Set(
  `authorization binary collation concurrently cross current_schema freeze full ilike inner is isnull join left like
  natural notnull outer overlaps right similar tablesample verbose`.split(/\s+/),
)

/** Whether an unquoted, folded word may stand as a ColId. */
export function isColumnIdentifier(word: string): boolean {
  return !notColumnNames.has(word)
}

/** Whether an unquoted, folded word may stand as a NonReservedWord. */
export function isNonReservedWord(word: string): boolean {
  return !notColumnNames.has(word) || typeOrFunctionNames.has(word)
}
