// Fails when the README's table is not what bench/results.json renders to. `--write` repairs it.
import { renderReadme, writeReadme } from './readme.ts'
import { readResults } from './results.ts'

const results = await readResults().catch((error: NodeJS.ErrnoException) => {
  if (error.code !== 'ENOENT') throw error
  console.error('bench/results.json is not there. What to do: npm run bench')
  process.exit(1)
})
if (process.argv.includes('--write')) {
  await writeReadme(results)
} else {
  const { wanted, seen } = await renderReadme(results)
  if (wanted !== seen) {
    console.error('The README’s benchmark table is not what bench/results.json says.')
    console.error('What to do: node --import tsx bench/check-readme.ts --write')
    process.exitCode = 1
  }
}
