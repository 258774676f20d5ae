import { quoteLiteral } from '../connection/client.ts'
import type { SequenceState } from '../template/template-note.ts'

/**
 * One statement that puts every sequence of a clone into the state it has in the template, for a clone that an earlier
 * process may have left in the middle of a test: sequences do not roll back.
 */
export function resetSequencesStatement(sequences: readonly SequenceState[]): string {
  const changed = sequences.map(
    ({ schema, name, lastValue, isCalled }) =>
      `(${quoteLiteral(schema)}, ${quoteLiteral(name)}, ${quoteLiteral(lastValue)}::pg_catalog.int8, ${isCalled})`,
  )
  // A row that matches nothing gives the list its types when it would be empty.
  const list = [
    `(NULL::pg_catalog.text, NULL::pg_catalog.text, NULL::pg_catalog.int8, NULL::pg_catalog.bool)`,
    ...changed,
  ]
  return (
    `SELECT pg_catalog.count(pg_catalog.setval(s.seqrelid, coalesce(t.last_value, s.seqstart), coalesce(t.is_called, false)))` +
    ` FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid` +
    ` JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace` +
    ` LEFT JOIN (VALUES ${list.join(', ')}) AS t (schema_name, sequence_name, last_value, is_called)` +
    ` ON t.schema_name = n.nspname AND t.sequence_name = c.relname` +
    ` WHERE c.relpersistence <> 't' AND pg_catalog.has_sequence_privilege(s.seqrelid, 'UPDATE')`
  )
}
