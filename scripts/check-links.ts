/**
 * Every link in the docs that stays in the repository leads to a file or folder that is there, and one with a `#` to a heading of it. Docs are
 * README.md, docs and the examples' READMEs.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { filesBelow, shown } from './support/files.ts'
import { root } from './support/paths.ts'
import { report } from './support/report.ts'

const sources = [...filesBelow(root, 'README.md'), ...filesBelow(join(root, 'docs'), '.md')]
const links = [...new Set(sources)].flatMap((source) => linksIn(source))

report('links', links.flatMap(checkLink), `${links.length} links`)

interface Link {
  readonly source: string
  readonly line: number
  readonly target: string
}

/** The links of a page, those in code left out. */
function linksIn(source: string): Link[] {
  const text = readFileSync(source, 'utf8').replaceAll(/^\s*```[\s\S]*?^\s*```|`[^`\n]*`/gm, withoutLetters)
  return text
    .split('\n')
    .flatMap((content, index) =>
      [...content.matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, target = '']) => ({ source, line: index + 1, target }))
        .filter(({ target }) => !/^\w+:/.test(target)),
    )
}

function checkLink({ source, line, target }: Link): string[] {
  const [path = '', heading] = target.split('#')
  const file = path === '' ? source : join(dirname(source), path)
  const place = `${shown(root, source)}:${line}`
  if (!existsSync(file)) return [`${place}: there is no ${shown(root, file)}`]
  if (heading === undefined || headingsOf(file).includes(heading)) return []
  return [`${place}: ${shown(root, file)} has no heading #${heading}`]
}

/** As GitHub makes an anchor of a heading. */
function headingsOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\- ]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** Nothing but the lines of it, so that what follows keeps its place. */
function withoutLetters(code: string): string {
  return code.replaceAll(/[^\n]/g, ' ')
}
