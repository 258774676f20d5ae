import { query } from '../support/wire.ts'
import type { Step } from './script.ts'

const tables = [
  'items',
  'labels',
  'optional_labels',
  'parents',
  'children',
  'nodes',
  'slots',
  'accounts',
  'audit_log',
  'audited',
  'other.items',
]

/** One statement whose rows are everything a script may have changed and that lasts. */
const everything = [
  ...tables.map((table) => `select '${table}' as what, t::text as value from ${table} t`),
  `select 'blobs', id || ' ' || coalesce(length(body), 0) || ' ' || coalesce(length(words), 0) from public.blobs`,
  `select 'relation', n.nspname || '.' || c.relname || ' ' || c.relkind::text from pg_class c
     join pg_namespace n on n.oid = c.relnamespace
     where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`,
]
  .map((part) => `(${part})`)
  .join(' union all ')

const lookText = `reset search_path; select * from (${everything}) as everything order by what, value collate "C"`

/** For use outside a transaction. */
export const look: Step = { send: query(lookText), until: 'Z', count: 1 }
