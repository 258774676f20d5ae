/**
 * The package's `exports` equal the public folders: `src/index.ts` is ".", `src/<name>/index.ts` is "./<name>", and no
 * other folder has an index. Each index has a `@module` comment and named re-exports, nothing else.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { filesBelow, shown } from './support/files.ts'
import { packageFolder, root } from './support/paths.ts'
import { report } from './support/report.ts'

type Target = string | { [condition: string]: Target }

const src = join(packageFolder, 'src')
const manifest = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as {
  exports: Record<string, Target>
}
const problems: string[] = []

const folders = readdirSync(src, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(join(src, entry.name, 'index.ts')))
  .map((entry) => `./${entry.name}`)
const wanted = ['.', ...folders]
const declared = Object.keys(manifest.exports).filter((subpath) => subpath !== './package.json')

for (const subpath of wanted) {
  if (!declared.includes(subpath))
    problems.push(`package.json: src has a public folder for "${subpath}", exports lacks it`)
}
for (const subpath of declared) {
  if (!wanted.includes(subpath)) problems.push(`package.json: exports has "${subpath}", src has no index.ts for it`)
}
for (const [subpath, target] of Object.entries(manifest.exports)) {
  for (const file of targetFiles(target)) {
    if (!existsSync(join(packageFolder, file)))
      problems.push(`package.json: exports "${subpath}" names ${file}, which the build did not write`)
  }
}
for (const file of filesBelow(src, 'index.ts').filter((path) => path.endsWith('/index.ts'))) checkIndex(file)

report('exports', problems, `${declared.length} subpaths`)

function targetFiles(target: Target): string[] {
  return typeof target === 'string' ? [target] : Object.values(target).flatMap(targetFiles)
}

function checkIndex(file: string): void {
  const name = shown(root, file)
  const depth = shown(src, file).split('/').length
  if (depth > 2) problems.push(`${name}: only a public subpath has an index.ts`)
  const text = readFileSync(file, 'utf8')
  if (!text.includes('@module')) problems.push(`${name}: has no @module comment`)
  const rest = text
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/\/\/.*$/gm, '')
    .replaceAll(/export (type )?\{[^}]*\} from '[^']+';?/g, '')
    .trim()
  if (rest !== '') problems.push(`${name}: holds more than named re-exports: ${rest.split('\n')[0]}`)
}
