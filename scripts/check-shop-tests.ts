/**
 * The shop's tests are read as documentation: none of them is longer than a screen. Counted is the whole call, from `test` to its closing
 * parenthesis, also of `test.each(…)(…)`.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAst } from 'vitest/node'
import { filesBelow, shown } from './support/files.ts'
import { root } from './support/paths.ts'
import { report } from './support/report.ts'

/** What every node of a syntax tree has. */
interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  /** What it begins with: a call, a member, a template. */
  readonly callee?: Node
  readonly object?: Node
  readonly tag?: Node
  readonly name?: string
}

const mostLines = 40
const files = filesBelow(join(root, 'examples/shop/test'), '.test.ts')
const problems: string[] = []
let tests = 0
for (const file of files) {
  const text = readFileSync(file, 'utf8')
  const lineOf = (offset: number): number => text.slice(0, offset).split('\n').length
  for (const { start, end } of testCalls(parseAst(text, { lang: 'ts' }, file))) {
    tests++
    const first = lineOf(start)
    const lines = lineOf(end) - first + 1
    if (lines > mostLines) {
      problems.push(
        `${shown(root, file)}:${first}: a test of ${lines} lines, and ${mostLines} are the most: make two of it`,
      )
    }
  }
}
report('shop tests', problems, `${tests} tests in ${files.length} files, at most ${mostLines} lines each`)

/** The outermost calls of `test` and of what hangs on it, with their offsets. */
function testCalls(value: unknown): Node[] {
  if (Array.isArray(value)) return value.flatMap(testCalls)
  if (!isNode(value)) return []
  return value.type === 'CallExpression' && isTest(value) ? [value] : Object.values(value).flatMap(testCalls)
}

/** `test`, `test.concurrent`, `test.each(rows)`. */
function isTest(node: Node): boolean {
  if (node.type === 'Identifier') return node.name === 'test' || node.name === 'it'
  const beginning = node.callee ?? node.object ?? node.tag
  return beginning !== undefined && isTest(beginning)
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value
}
