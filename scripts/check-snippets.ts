/**
 * The TypeScript in the docs compiles: ```ts blocks of README.md, docs and the examples' READMEs, and those below an `@example`
 * in the sources. Each snippet is a module of its own, checked as a user's file would be, against the built package.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { filesBelow, shown } from './support/files.ts'
import { packageFolder, root } from './support/paths.ts'
import { report } from './support/report.ts'
import { runTool } from './support/run.ts'

interface Snippet {
  /** Relative to the repository. */
  source: string
  /** Line of the fence, from 1. */
  fence: number
  /** Characters before the code on each line: ` * ` in a comment. */
  indent: number
  lines: string[]
}

const sources = [
  ...filesBelow(root, 'README.md'),
  ...filesBelow(join(root, 'docs'), '.md'),
  ...filesBelow(join(packageFolder, 'src'), '.ts').filter((file) => !file.endsWith('.test.ts')),
]
const snippets = sources.flatMap((file) => readSnippets(shown(root, file), readFileSync(file, 'utf8')))

const folder = join(root, '.cache', `snippets-${process.pid}`)
try {
  report('snippets', await compile(), `${snippets.length} snippets`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function readSnippets(source: string, text: string): Snippet[] {
  const found: Snippet[] = []
  const inComments = source.endsWith('.ts')
  let inExample = false
  let open: Snippet | undefined
  text.split('\n').forEach((line, index) => {
    const prefix = inComments ? (/^\s*\* ?/.exec(line)?.[0] ?? '') : ''
    const content = line.slice(prefix.length)
    if (inComments && (line.includes('*/') || line.trimStart().startsWith('/**'))) inExample = false
    if (content.startsWith('@')) inExample = content.startsWith('@example')
    const fence = /^\s*```(\w*)/.exec(content)
    if (open !== undefined) {
      if (fence !== null) open = undefined
      else open.lines.push(content)
    } else if (fence !== null && (!inComments || (inExample && prefix !== ''))) {
      open = { source, fence: index + 1, indent: prefix.length, lines: [] }
      if (fence[1] === 'ts' || fence[1] === 'typescript') found.push(open)
    }
  })
  return found
}

async function compile(): Promise<string[]> {
  mkdirSync(folder, { recursive: true })
  snippets.forEach((snippet, index) => {
    // The code stands on the line it has in its source, so that a message needs no translation but the file's name.
    const text = `${'\n'.repeat(snippet.fence)}${snippet.lines.join('\n')}\nexport {}\n`
    writeFileSync(join(folder, `snippet-${index}.ts`), text)
  })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n')
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../tsconfig.base.json',
      compilerOptions: { noEmit: true, noUnusedLocals: false, noUnusedParameters: false },
      include: ['*.ts'],
    }),
  )
  const args = ['-p', folder, '--pretty', 'false']
  const { code, output } = await runTool('typescript/bin/tsc', args, { cwd: folder, capture: true })
  const problems = output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) =>
      line.replace(/^snippet-(\d+)\.ts\((\d+),(\d+)\)/, (_, index: string, row: string, column: string) => {
        const snippet = snippets[Number(index)]
        return `${snippet?.source}:${row}:${Number(column) + (snippet?.indent ?? 0)}`
      }),
    )
  return code !== 0 && problems.length === 0 ? [`tsc ended with code ${code}`] : problems
}
