import { readFile, writeFile } from 'node:fs/promises'
import { renderResults, replaceTable } from './render.ts'
import type { BenchResults } from './results.ts'

const readme = new URL('../README.md', import.meta.url)

/** The README as it has to be for these results, and as it is. Throws when it has no place for the table. */
export async function renderReadme(results: BenchResults): Promise<{ wanted: string; seen: string }> {
  const seen = await readFile(readme, 'utf8')
  return { wanted: replaceTable(seen, renderResults(results)), seen }
}

/** Writes the table of these results into the README. */
export async function writeReadme(results: BenchResults): Promise<void> {
  const { wanted, seen } = await renderReadme(results)
  if (wanted !== seen) await writeFile(readme, wanted)
}
