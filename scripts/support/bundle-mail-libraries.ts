import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BuildOptions, Metafile, Plugin } from 'esbuild'
import { bundleFile } from './bundle-file.ts'
import { root } from './paths.ts'

/** Names of the captured timers in core/clock.ts, by those that they stand for. */
const realTimers = { setTimeout: 'realSetTimeout', clearTimeout: 'realClearTimeout', setImmediate: 'realSetImmediate' }

/**
 * The SMTP server and the MIME parser, in the package itself: nothing to install, one file to load, and timers that a test's
 * fake ones do not stop (docs/decisions/080). With them go their licences.
 */
export async function bundleMailLibraries(folder: string): Promise<void> {
  const names = Object.values(realTimers).join(', ')
  const clock = '../core/clock.js'
  const file = join(folder, 'esm/mail/libraries.js')
  const shared: BuildOptions = {
    define: realTimers,
    minifyWhitespace: true,
    sourcemap: false,
    legalComments: 'none',
    plugins: [leaveOutConversions()],
    metafile: true,
  }
  // From the ES modules as well; before they are overwritten.
  await bundleFile(file, {
    ...shared,
    outfile: join(folder, 'cjs/mail/libraries.js'),
    format: 'cjs',
    banner: { js: `const { ${names} } = require('${clock}');` },
  })
  // Some of them are CommonJS and ask for Node's own modules.
  const banner = [
    "import { createRequire } from 'node:module';",
    `import { ${names} } from '${clock}';`,
    'const require = createRequire(import.meta.url);',
  ]
  const metafile = await bundleFile(file, { ...shared, banner: { js: banner.join('\n') } })
  if (metafile !== undefined) writeFileSync(join(folder, 'LICENCES-OF-BUNDLED.txt'), licencesOf(metafile))
}

/** The parser's ways from HTML to text and from text to links, which are never asked for, take long to load. */
function leaveOutConversions(): Plugin {
  const standIns: Readonly<Record<string, string>> = {
    'html-to-text': "export const htmlToText = () => ''",
    'linkify-it':
      'const none = { tlds: () => none, add: () => none, set: () => none, pretest: () => false }; export default () => none',
  }
  const namespace = 'left-out'
  return {
    name: 'leave out conversions',
    setup: ({ onLoad, onResolve }) => {
      onResolve({ filter: /^(html-to-text|linkify-it)$/ }, ({ path }) => ({ path, namespace }))
      onLoad({ filter: /.*/, namespace }, ({ path }) => ({ contents: standIns[path] ?? '' }))
    },
  }
}

/** The licence of each package that something was taken from. */
function licencesOf({ inputs }: Metafile): string {
  const folders = Object.keys(inputs).flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? [])
  const texts = [...new Set(folders)].toSorted().map((folder) => {
    const from = [folder, join(root, folder)].find((path) => existsSync(path)) ?? folder
    const { name, version, license } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) as Record<
      string,
      string
    >
    // Where there is a choice of licences: MIT.
    const files = readdirSync(from).filter((entry) => /^licen[cs]e/i.test(entry))
    const file = files.find((entry) => /mit/i.test(entry)) ?? files[0]
    const text = file === undefined ? '' : `\n${readFileSync(join(from, file), 'utf8').trim()}\n`
    return `${name} ${version} (${license})\n${text}`
  })
  return `Code of these packages is part of mail/libraries.js.\n\n${texts.join('\n---\n\n')}`
}
