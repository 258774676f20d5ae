import type { ResultRow } from '../results.ts'

/** The row without what a measurement adds to it. */
export type RowHead = Pick<ResultRow, 'id' | 'what' | 'unit' | 'hold' | 'note'>

/** What a measurement adds to a row. */
export type RowBody = Pick<ResultRow, 'measured' | 'absolutes'>

/** Measures a row, or says in it why it could not be measured: one failure does not hide the other rows. */
export async function measureRow(head: RowHead, measure: () => Promise<RowBody> | RowBody): Promise<ResultRow> {
  try {
    return { ...head, ...(await measure()) }
  } catch (error) {
    return { ...head, failure: error instanceof Error ? error.message : String(error) }
  }
}
