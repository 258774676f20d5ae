/** What is asked of the catalogue. Each answers one row with one column of JSON; the system's own schemas are left out. */

const ours = `n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'`

const columns = `SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
  'name', a.attname, 'type', a.atttypid::text, 'sql', pg_catalog.format_type(a.atttypid, a.atttypmod),
  'modifier', a.atttypmod, 'nullable', NOT a.attnotnull, 'identity', a.attidentity, 'generated', a.attgenerated,
  'default', CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END,
  'sequence', pg_catalog.pg_get_serial_sequence(pg_catalog.format('%I.%I', n.nspname, c.relname), a.attname),
  'comment', pg_catalog.col_description(c.oid, a.attnum)
) ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped`

const names = (list: string, relation: string): string => `ARRAY(SELECT a.attname::text FROM
pg_catalog.unnest(${list}) WITH ORDINALITY part(number, place) JOIN pg_catalog.pg_attribute a
ON a.attrelid = ${relation} AND a.attnum = part.number ORDER BY part.place)`

const uniqueKeys = (nullsNotDistinct: string): string => `SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
  'name', COALESCE(k.conname, i.relname), 'primary', x.indisprimary,
  'predicate', pg_catalog.pg_get_expr(x.indpred, x.indrelid), 'nullsNotDistinct', ${nullsNotDistinct},
  'elements', ARRAY(SELECT pg_catalog.json_build_object('column', a.attname,
    'sql', pg_catalog.pg_get_indexdef(x.indexrelid, place, false)) FROM pg_catalog.generate_series(1, x.indnkeyatts) place
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[place - 1] AND a.attnum > 0)
) ORDER BY x.indisprimary DESC, i.relname) FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = x.indexrelid AND k.contype IN ('p', 'u')
WHERE x.indrelid = c.oid AND x.indisunique AND x.indislive`

// A key that refers to a partitioned table has one more row for each partition of it.
const foreignKeys = `SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
  'name', k.conname, 'columns', ${names('k.conkey', 'k.conrelid')}, 'references', ${names('k.confkey', 'k.confrelid')},
  'schema', fn.nspname, 'table', f.relname, 'match', k.confmatchtype, 'deferrable', k.condeferrable, 'deferred', k.condeferred
) ORDER BY k.conname) FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class f ON f.oid = k.confrelid
JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
LEFT JOIN pg_catalog.pg_constraint above ON above.oid = k.conparentid
WHERE k.conrelid = c.oid AND k.contype = 'f' AND above.conrelid IS DISTINCT FROM k.conrelid`

const checks = (of: string): string => `SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
  'name', k.conname, 'sql', pg_catalog.pg_get_expr(k.conbin, k.conrelid)) ORDER BY k.conname)
FROM pg_catalog.pg_constraint k WHERE ${of} AND k.contype = 'c'`

const exclusions = `SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', k.conname,
  'predicate', pg_catalog.pg_get_expr(x.indpred, x.indrelid),
  'elements', ARRAY(SELECT pg_catalog.json_build_object('operator', o.oprname,
    'sql', pg_catalog.pg_get_indexdef(x.indexrelid, e.place::integer, false))
    FROM pg_catalog.unnest(k.conexclop) WITH ORDINALITY e(operator, place)
    JOIN pg_catalog.pg_operator o ON o.oid = e.operator ORDER BY e.place)
) ORDER BY k.conname) FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_index x ON x.indexrelid = k.conindid
WHERE k.conrelid = c.oid AND k.contype = 'x'`

const partitions = `SELECT pg_catalog.json_agg(pg_catalog.json_build_object('schema', pn.nspname, 'name', p.relname,
  'bound', pg_catalog.pg_get_expr(p.relpartbound, p.oid),
  'constraint', pg_catalog.pg_get_partition_constraintdef(p.oid)) ORDER BY p.oid)
FROM pg_catalog.pg_partition_tree(c.oid) tree JOIN pg_catalog.pg_class p ON p.oid = tree.relid
JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace WHERE tree.isleaf AND p.relkind IN ('r', 'f')`

const policies = `SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', q.polname, 'permissive', q.polpermissive,
  'check', pg_catalog.pg_get_expr(COALESCE(q.polwithcheck, q.polqual), q.polrelid)) ORDER BY q.polname)
FROM pg_catalog.pg_policy q WHERE q.polrelid = c.oid AND q.polcmd IN ('a', '*')`

/** Tables that rows can be inserted into. */
export function tablesQuery(serverVersion: number): string {
  const nullsNotDistinct = serverVersion >= 15 ? 'x.indnullsnotdistinct' : 'false'
  return `SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
  'schema', n.nspname, 'name', c.relname, 'visible', pg_catalog.pg_table_is_visible(c.oid), 'kind', c.relkind,
  'partition', c.relispartition,
  'bound', CASE WHEN c.relispartition THEN pg_catalog.pg_get_partition_constraintdef(c.oid) END, 'rowSecurity', c.relrowsecurity, 'forced', c.relforcerowsecurity,
  'triggers', EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgtype & 4 <> 0)
    OR EXISTS (SELECT FROM pg_catalog.pg_rewrite w WHERE w.ev_class = c.oid),
  'columns', (${columns}), 'uniqueKeys', (${uniqueKeys(nullsNotDistinct)}), 'foreignKeys', (${foreignKeys}),
  'checks', (${checks('k.conrelid = c.oid')}), 'exclusions', (${exclusions}),
  'partitions', CASE WHEN c.relkind = 'p' THEN (${partitions}) END, 'policies', (${policies})
) ORDER BY n.nspname, c.relname) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f') AND ${ours}`
}

/** Every type that a column may have. */
export const typesQuery: string = `SELECT pg_catalog.json_object_agg(t.oid::text, pg_catalog.json_build_object(
  'name', t.typname, 'sql', pg_catalog.format_type(t.oid, NULL), 'kind', t.typtype, 'category', t.typcategory,
  'element', CASE WHEN t.typsubscript::text = 'array_subscript_handler' THEN t.typelem::text END,
  'base', t.typbasetype::text, 'baseSql', pg_catalog.format_type(t.typbasetype, t.typtypmod), 'modifier', t.typtypmod,
  'nullable', NOT t.typnotnull, 'default', t.typdefault,
  'labels', (SELECT pg_catalog.json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid),
  'subtype', (SELECT r.rngsubtype::text FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid),
  'range', (SELECT r.rngtypid::text FROM pg_catalog.pg_range r WHERE r.rngmultitypid = t.oid),
  'checks', CASE WHEN t.typtype = 'd' THEN (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
    'name', k.conname, 'sql', pg_catalog.pg_get_constraintdef(k.oid)) ORDER BY k.conname)
    FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c') END,
  'attributes', CASE WHEN t.typtype = 'c' THEN (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
    'name', a.attname, 'type', a.atttypid::text) ORDER BY a.attnum)
    FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) END
)) FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype <> 'p' AND (t.typrelid = 0 OR (${ours} AND EXISTS (
  SELECT FROM pg_catalog.pg_class r WHERE r.oid = t.typrelid AND r.relkind = 'c')))`
