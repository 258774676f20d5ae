/**
 * docs/errors.md has one section per error code of core/errors.ts, and no other; each says something. Each code is named
 * somewhere else in the sources too: one that nothing raises is not worth a section.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorCodes } from '../packages/vivarium/src/core/errors.ts'
import { filesBelow } from './support/files.ts'
import { packageFolder, root } from './support/paths.ts'
import { report } from './support/report.ts'

const sections = new Map<string, string>()
const problems: string[] = []

for (const section of readFileSync(join(root, 'docs/errors.md'), 'utf8').split(/^## /m).slice(1)) {
  const [heading = '', ...body] = section.split('\n')
  const code = heading.trim()
  if (sections.has(code)) problems.push(`docs/errors.md: ${code} has two sections`)
  sections.set(code, body.join('\n').trim())
}
const raised = filesBelow(join(packageFolder, 'src'), '.ts')
  .filter((file) => !file.endsWith('.test.ts') && !file.endsWith('/core/errors.ts'))
  .map((file) => readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, ''))
  .join('\n')

for (const code of Object.keys(errorCodes)) {
  if (!new RegExp(`\\b${code}\\b`).test(raised)) problems.push(`core/errors.ts: nothing raises ${code}`)
  const body = sections.get(code)
  if (body === undefined) problems.push(`docs/errors.md: no section for ${code}`)
  else if (body === '') problems.push(`docs/errors.md: the section ${code} is empty`)
}
for (const code of sections.keys()) {
  if (!(code in errorCodes)) problems.push(`docs/errors.md: ${code} is no code of core/errors.ts`)
}

report('errors', problems, `${Object.keys(errorCodes).length} codes`)
