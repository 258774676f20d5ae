import { readOnly } from './changes-nothing.ts'
import { quoteIdentifier } from '../connection/client.ts'
import { findRoutineSettings } from '../sql/routine-settings.ts'
import { findTemporaryObjects } from '../sql/temporary-objects.ts'
import type { TemporaryObject } from '../sql/temporary-objects.ts'
import type { Session } from './session.ts'

/** The state of sequences at one moment, ready to be restored. */
export interface SequenceSnapshot {
  /** By sequence oid: `last_value` and `is_called`; both are needed (a fresh sequence has 1, false). */
  readonly states: Readonly<Record<string, SequenceState>>
  /** The server counts which blocks a transaction fetches (`track_counts`, on unless a superuser has turned it off). */
  readonly countsBlocks: boolean
  /** The statement that restores it: the text says it all, so that it is planned once. */
  readonly restore: string
}

interface SequenceState {
  readonly lastValue: string
  readonly isCalled: boolean
}

// The privileges are asked of pg_sequence's own column: of any other relation the question is an error.
const allSequences = `SELECT q.seqrelid, n.nspname, c.relname FROM pg_catalog.pg_sequence q
JOIN pg_catalog.pg_class c ON c.oid = q.seqrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relpersistence <> 't' AND pg_catalog.has_sequence_privilege(q.seqrelid, 'SELECT')
AND pg_catalog.has_sequence_privilege(q.seqrelid, 'UPDATE')`

/**
 * Whether this session has touched a sequence. Whatever reads or advances one fetches its block, and the backend counts
 * that until it is outside a transaction: so the count knows every touched one, whatever was rolled back in between. The
 * locks know them too, at ten times the price: for a server that does not count.
 */
function wasTouched(oid: string, countsBlocks: boolean): string {
  if (countsBlocks) return `pg_catalog.pg_stat_get_xact_blocks_fetched(${oid}) > 0`
  return (
    `${oid} IN (SELECT l.relation FROM pg_catalog.pg_locks l ` +
    `WHERE l.locktype = 'relation' AND l.pid = pg_catalog.pg_backend_pid())`
  )
}

/** What every clone of one template has in common. Plain JSON: read once, and handed to every worker of a run. */
export interface TemplateFacts {
  readonly sequences: SequenceSnapshot
  readonly constraintCheck: ConstraintCheck
  readonly routines: Routines
}

/** Reads a clone's facts, while nothing has been done to it. */
export async function readTemplateFacts(session: Session): Promise<TemplateFacts> {
  const [setting] = await session.query('SHOW track_counts')
  const sequences = toSnapshot(await readStates(session, allSequences), setting?.[0] === 'on')
  return { sequences, constraintCheck: await readConstraintCheck(session), routines: await readRoutines(session) }
}

/** The snapshot with what the session's own transaction has changed since. */
export async function refreshSequences(session: Session, base: SequenceSnapshot): Promise<SequenceSnapshot> {
  const touched = await readStates(session, `${allSequences} AND ${wasTouched('q.seqrelid', base.countsBlocks)}`)
  return Object.keys(touched).length === 0 ? base : toSnapshot({ ...base.states, ...touched }, base.countsBlocks)
}

async function readStates(session: Session, which: string): Promise<Record<string, SequenceState>> {
  const sequences = await session.query(which)
  const states: Record<string, SequenceState> = {}
  if (sequences.length === 0) return states
  const selects = sequences.map(
    ([oid, schema, name]) =>
      `SELECT ${oid}, last_value, is_called FROM ${quoteIdentifier(schema ?? '')}.${quoteIdentifier(name ?? '')}`,
  )
  for (const [oid, lastValue, isCalled] of await session.query(selects.join('\nUNION ALL '))) {
    states[oid ?? ''] = { lastValue: lastValue ?? '1', isCalled: isCalled === 't' }
  }
  return states
}

/** With the statement that sets back the sequences that a session has touched, and releases its advisory locks. */
function toSnapshot(states: Readonly<Record<string, SequenceState>>, countsBlocks: boolean): SequenceSnapshot {
  const all = Object.values(states)
  if (all.length === 0) return { states, countsBlocks, restore: 'SELECT pg_catalog.pg_advisory_unlock_all()' }
  const array = (values: readonly string[], type: string): string =>
    `pg_catalog.unnest('{${values.join(',')}}'::pg_catalog.${type}[])`
  const columns = [
    array(Object.keys(states), 'oid'),
    array(
      all.map((state) => state.lastValue),
      'int8',
    ),
    array(
      all.map((state) => (state.isCalled ? 't' : 'f')),
      'bool',
    ),
  ]
  const restore =
    'SELECT pg_catalog.count(pg_catalog.setval(s.oid::pg_catalog.regclass, s.last_value, s.is_called)), ' +
    'pg_catalog.pg_advisory_unlock_all() ' +
    `FROM ROWS FROM (${columns.join(', ')}) AS s(oid, last_value, is_called) ` +
    `WHERE ${wasTouched('s.oid', countsBlocks)}`
  return { states, countsBlocks, restore }
}

/** Statements that check deferred constraints as a COMMIT does, then put their modes back; empty without any. */
export type ConstraintCheck = readonly string[]

/** Reads how deferred constraints are to be checked (constraint triggers included: they are in pg_constraint too). */
export async function readConstraintCheck(session: Session): Promise<ConstraintCheck> {
  const rows = await session.query(
    `SELECT n.nspname, c.conname, c.condeferred FROM pg_catalog.pg_constraint c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
     WHERE c.condeferrable AND n.oid <> pg_catalog.pg_my_temp_schema()`,
  )
  if (rows.length === 0) return []
  const deferred = rows.filter(([, , initiallyDeferred]) => initiallyDeferred === 't')
  const check = ['SET CONSTRAINTS ALL IMMEDIATE']
  if (deferred.length > 0) {
    const names = deferred.map(([schema, name]) => `${quoteIdentifier(schema ?? '')}.${quoteIdentifier(name ?? '')}`)
    check.push(`SET CONSTRAINTS ${[...new Set(names)].join(', ')} DEFERRED`)
  }
  return check
}

/** What the database's own routines may do to a session, which no statement's text tells. */
export interface Routines {
  /** Temporary tables that they make with an ON COMMIT. */
  readonly temporary: readonly TemporaryObject[]
  /** One of them sets something, which our savepoints' release does not end: settings are made again after each unit. */
  readonly changeSettings: boolean
  /** Settings of the session that a routine makes, by the routine's name; none where no routine does. */
  readonly setters?: Readonly<Record<string, readonly string[]>>
  /** No routine of the database runs within a SELECT that does not name it: through a view, a policy, an operator. */
  readonly readsWriteNothing: boolean
  /** A DO block of PL/pgSQL may be run. */
  readonly canRunBlocks: boolean
}

/** Objects that come with the server have smaller ones (access/transam.h, FirstNormalObjectId). */
const firstOwnOid = 16384

/**
 * Routines that something other than a trigger or a default depends on, those that may be called like a column
 * (PostgreSQL docs, 4.2.6), and those with a name that stands for one of the server's own. Whether they write cannot be told: also one that is stable may call another that does.
 */
const runsUnnamed = `SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
  WHERE p.oid >= ${firstOwnOid}::pg_catalog.oid AND l.lanname NOT IN ('c', 'internal') AND (
   EXISTS (SELECT FROM pg_catalog.pg_type t WHERE t.oid = ANY (p.proargtypes) AND t.typtype IN ('c', 'p'))
   OR p.proname = ANY ('{${[...readOnly].join()}}'::pg_catalog.name[])
   OR EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
     AND d.refobjid = p.oid AND d.classid NOT IN ('pg_catalog.pg_trigger'::pg_catalog.regclass,
      'pg_catalog.pg_event_trigger'::pg_catalog.regclass, 'pg_catalog.pg_attrdef'::pg_catalog.regclass)))`

/** Reads the bodies of the database's own routines. */
export async function readRoutines(session: Session): Promise<Routines> {
  const rows = await session.query(
    `SELECT 'language', lanname::pg_catalog.text, '' FROM pg_catalog.pg_language
      WHERE lanname = 'plpgsql' AND pg_catalog.has_language_privilege(oid, 'USAGE')
     UNION ALL
     SELECT 'unnamed', '', '' WHERE EXISTS (${runsUnnamed})
     UNION ALL
     SELECT 'routine', b.body, proname::pg_catalog.text FROM pg_catalog.pg_proc,
      LATERAL (SELECT coalesce(pg_catalog.pg_get_function_sqlbody(oid), prosrc) AS body) AS b
      WHERE oid >= ${firstOwnOid}::pg_catalog.oid AND b.body ~* 'on\\s+commit|\\mset\\M|reset|set_config'`,
  )
  const made = rows.flatMap(([kind, body]) => (kind === 'routine' ? findTemporaryObjects(body ?? '', true) : []))
  const setters = new Map<string, readonly string[]>()
  let changeSettings = false
  for (const [kind, body, name] of rows) {
    if (kind !== 'routine') continue
    const { sets, session: settings } = findRoutineSettings(body ?? '')
    changeSettings ||= sets
    // Overloaded ones share a name, and what they set.
    if (settings.length > 0) setters.set(name ?? '', [...(setters.get(name ?? '') ?? []), ...settings])
  }
  return {
    changeSettings,
    ...(setters.size > 0 ? { setters: Object.fromEntries(setters) } : {}),
    readsWriteNothing: !rows.some(([kind]) => kind === 'unnamed'),
    temporary: made.filter(({ onCommit }) => onCommit !== 'preserve'),
    canRunBlocks: rows.some(([kind]) => kind === 'language'),
  }
}
