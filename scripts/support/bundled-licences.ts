import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'
import { root } from './paths.ts'

/** The licence of each package that something was taken from into a bundle. */
export function licencesOf(bundles: readonly Metafile[]): string {
  const files = bundles.flatMap(({ inputs }) => Object.keys(inputs))
  const folders = files.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? [])
  const texts = [...new Set(folders)].toSorted().map((folder) => {
    const from = [folder, join(root, folder)].find((path) => existsSync(path)) ?? folder
    const { name, version, license } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) as Record<
      string,
      string
    >
    // Where there is a choice of licences: MIT.
    const found = readdirSync(from).filter((entry) => /^licen[cs]e/i.test(entry))
    const file = found.find((entry) => /mit/i.test(entry)) ?? found[0]
    const text = file === undefined ? '' : `\n${readFileSync(join(from, file), 'utf8').trim()}\n`
    return `${name} ${version} (${license})\n${text}`
  })
  const heading = 'Code of these packages is part of mail/libraries.js and of http/contract/*-library.js.'
  return `${heading}\n\n${texts.join('\n---\n\n')}`
}
