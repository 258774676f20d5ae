import { quoteLiteral } from '../connection/client.ts'
import type { OnCommit, TemporaryObject } from '../sql/temporary-objects.ts'

/** What is known of one temporary table, view or sequence of a connection. */
export interface TemporaryEntry {
  readonly onCommit: OnCommit
  /** How many sandboxes were open around it: it goes with the innermost of them. */
  readonly depth: number
}

/**
 * The temporary objects that one virtual connection has made, by name. Immutable, so that a rollback is a step back to
 * an earlier value; `undefined` while there are none, which is nearly always.
 */
export type TemporaryObjects = ReadonlyMap<string, TemporaryEntry> | undefined

export function withMade(objects: TemporaryObjects, made: readonly TemporaryObject[], depth: number): TemporaryObjects {
  if (made.length === 0) return objects
  const next = new Map(objects)
  for (const { name, onCommit } of made) next.set(name, { onCommit, depth })
  return next
}

export function withoutNames(objects: TemporaryObjects, names: readonly string[]): TemporaryObjects {
  return keep(objects, (name) => !names.includes(name))
}

/** What is left when a transaction has committed. */
export function afterCommit(objects: TemporaryObjects): TemporaryObjects {
  return keep(objects, (_name, { onCommit }) => onCommit !== 'drop')
}

/** What is left when the sandboxes are only `depth` deep any more. */
export function upToDepth(objects: TemporaryObjects, depth: number): TemporaryObjects {
  return keep(objects, (_name, entry) => entry.depth <= depth)
}

function keep(objects: TemporaryObjects, filter: (name: string, entry: TemporaryEntry) => boolean): TemporaryObjects {
  if (objects === undefined) return undefined
  const kept = new Map([...objects].filter(([name, entry]) => filter(name, entry)))
  if (kept.size === objects.size) return objects
  return kept.size === 0 ? undefined : kept
}

/** Statements that do at a COMMIT what ON COMMIT asks for; none when nothing does. */
export function onCommitSteps(objects: TemporaryObjects, routines: readonly TemporaryObject[] = []): string[] {
  const steps: string[] = []
  if (objects === undefined && routines.length === 0) return steps
  for (const action of ['delete rows', 'drop'] as const) {
    const names = new Set<string>()
    for (const [name, { onCommit }] of objects ?? []) if (onCommit === action) names.add(name)
    for (const { name, onCommit } of routines) if (onCommit === action && objects?.has(name) !== true) names.add(name)
    if (names.size > 0) steps.push(action === 'drop' ? dropStatement([...names]) : emptyStatement([...names]))
  }
  return steps
}

/** Begins the message of a temporary object that could not be dropped or emptied. */
export const couldNot = 'vivarium could not'

/** Drops those of these temporary objects that are there, whoever owns them: what made them may have been rolled back. */
export function dropStatement(names: readonly string[]): string {
  return forEach(
    names,
    `EXECUTE pg_catalog.format('DROP %s IF EXISTS pg_temp.%I CASCADE',
       CASE o.relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, o.relname);`,
    'drop',
  )
}

/** Closes those of these cursors that are open and end with their transaction. */
export function closeStatement(names: readonly string[]): string {
  const body = `DECLARE c record; BEGIN
    FOR c IN SELECT name FROM pg_catalog.pg_cursors WHERE NOT is_holdable AND name = ANY (${quoteArray(names, 'text')}) LOOP
      EXECUTE pg_catalog.format('CLOSE %I', c.name);
    END LOOP;
  END`
  return `DO LANGUAGE plpgsql ${quoteLiteral(body)}`
}

function quoteArray(values: readonly string[], type: 'name' | 'text'): string {
  return `ARRAY[${values.map((value) => quoteLiteral(value)).join(', ')}]::pg_catalog.${type}[]`
}

/** Empties these tables at once, as the server does at COMMIT: foreign keys between them are no obstacle then. */
function emptyStatement(names: readonly string[]): string {
  return forEach(names, `EXECUTE 'TRUNCATE ' || o.all_names; RETURN;`, 'empty')
}

/**
 * A block that runs `command` for each of these that is there. The server asks nobody's permission at COMMIT, so the
 * owner does it; a failure must not end the session, and is reported by a message that no setting suppresses.
 */
function forEach(names: readonly string[], command: string, verb: string): string {
  const body = `DECLARE o record; BEGIN
    FOR o IN SELECT c.relname, c.relkind, pg_catalog.pg_get_userbyid(c.relowner) AS owner,
        pg_catalog.string_agg(pg_catalog.format('pg_temp.%I', c.relname), ', ') OVER () AS all_names
      FROM pg_catalog.pg_class c WHERE c.relnamespace = pg_catalog.pg_my_temp_schema() AND c.relname = ANY (${quoteArray(names, 'name')})
        AND c.relkind IN ('r', 'p', 'v', 'S') LOOP
      BEGIN
        IF o.owner <> current_user THEN EXECUTE pg_catalog.format('SET LOCAL ROLE %I', o.owner); END IF;
        ${command}
      EXCEPTION WHEN OTHERS THEN RAISE INFO '${couldNot} ${verb} %: %', o.relname, SQLERRM;
      END;
    END LOOP;
  END`
  return `DO LANGUAGE plpgsql ${quoteLiteral(body)}`
}
