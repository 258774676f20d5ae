/**
 * The TypeScript in the docs compiles: ```ts blocks of README.md, docs and the examples' READMEs, and those below an `@example`
 * in the sources. Each snippet is a module of its own, checked as a user's file would be, against the built package.
 *
 * A block that says where it is from (```ts from=examples/shop/test/cache.test.ts) is a passage of that file, to the letter but
 * for its indentation; a line `// …` stands for lines that were left out. It is not compiled a second time.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
  /** The file that it is a passage of, relative to the repository. */
  from: string | undefined
  lines: string[]
}

const sources = [
  ...filesBelow(root, 'README.md'),
  ...filesBelow(join(root, 'docs'), '.md'),
  ...filesBelow(join(packageFolder, 'src'), '.ts').filter((file) => !file.endsWith('.test.ts')),
]
const all = sources.flatMap((file) => readSnippets(shown(root, file), readFileSync(file, 'utf8')))
const snippets = all.filter(({ from }) => from === undefined)
const passages = all.filter(({ from }) => from !== undefined)

const folder = join(root, '.cache', `snippets-${process.pid}`)
try {
  const counted = `${snippets.length} snippets, ${passages.length} passages`
  report('snippets', [...passages.flatMap(checkPassage), ...(await compile())], counted)
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
    const fence = /^\s*```(\w*)(?:\s+from=(\S+))?/.exec(content)
    if (open !== undefined) {
      if (fence !== null) open = undefined
      else open.lines.push(content)
    } else if (fence !== null && (!inComments || (inExample && prefix !== ''))) {
      open = { source, fence: index + 1, indent: prefix.length, from: fence[2], lines: [] }
      if (fence[1] === 'ts' || fence[1] === 'typescript') found.push(open)
    }
  })
  return found
}

function checkPassage({ source, fence, from, lines }: Snippet): string[] {
  const place = `${source}:${fence}`
  const file = join(root, from ?? '')
  if (!existsSync(file)) return [`${place}: there is no ${from}`]
  const text = readFileSync(file, 'utf8').split('\n')
  let start = 0
  for (const piece of piecesOf(lines)) {
    const found = findLines(text, piece, start)
    if (found === undefined)
      return [`${place}: not in ${from}${start === 0 ? '' : ' behind the piece before'}: ${piece[0]?.trim()}`]
    start = found + piece.length
  }
  return []
}

/** What stands between the lines `// …`. */
function piecesOf(lines: readonly string[]): string[][] {
  const pieces: string[][] = [[]]
  for (const line of lines) {
    if (line.trim() === '// …') pieces.push([])
    else pieces.at(-1)?.push(line)
  }
  return pieces.map(withoutIndentation).filter((piece) => piece.length > 0)
}

function findLines(text: readonly string[], piece: readonly string[], from: number): number | undefined {
  for (let at = from; at + piece.length <= text.length; at++) {
    const there = withoutIndentation(text.slice(at, at + piece.length))
    if (there.length === piece.length && there.every((line, index) => line === piece[index])) return at
  }
  return undefined
}

/** Lines as they are with the least indented one at the margin, without empty ones around them. */
function withoutIndentation(lines: readonly string[]): string[] {
  const isEmpty = (line: string): boolean => line.trim() === ''
  const first = lines.findIndex((line) => !isEmpty(line))
  const last = lines.findLastIndex((line) => !isEmpty(line))
  const kept = first < 0 ? [] : lines.slice(first, last + 1)
  const margin = Math.min(...kept.filter((line) => !isEmpty(line)).map((line) => line.search(/\S/)))
  return kept.map((line) => (isEmpty(line) ? '' : line.slice(margin)))
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
