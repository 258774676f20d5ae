/** docs/errors.md has one section per error code of core/errors.ts, and no other; each says something. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorCodes } from '../packages/vivarium/src/core/errors.ts'
import { root } from './support/paths.ts'
import { report } from './support/report.ts'

const sections = new Map<string, string>()
const problems: string[] = []

for (const section of readFileSync(join(root, 'docs/errors.md'), 'utf8').split(/^## /m).slice(1)) {
  const [heading = '', ...body] = section.split('\n')
  const code = heading.trim()
  if (sections.has(code)) problems.push(`docs/errors.md: ${code} has two sections`)
  sections.set(code, body.join('\n').trim())
}
for (const code of Object.keys(errorCodes)) {
  const body = sections.get(code)
  if (body === undefined) problems.push(`docs/errors.md: no section for ${code}`)
  else if (body === '') problems.push(`docs/errors.md: the section ${code} is empty`)
}
for (const code of sections.keys()) {
  if (!(code in errorCodes)) problems.push(`docs/errors.md: ${code} is no code of core/errors.ts`)
}

report('errors', problems, `${Object.keys(errorCodes).length} codes`)
