import { join } from 'node:path'
import type { BuildOptions, Metafile, Plugin } from 'esbuild'
import { bundleFile } from './bundle-file.ts'

/** Names of the captured timers in core/clock.ts, by those that they stand for. */
const realTimers = { setTimeout: 'realSetTimeout', clearTimeout: 'realClearTimeout', setImmediate: 'realSetImmediate' }

/**
 * The SMTP server and the MIME parser, in the package itself: nothing to install, one file to load, and timers that a test's
 * fake ones do not stop (docs/decisions/080).
 */
export async function bundleMailLibraries(folder: string): Promise<Metafile[]> {
  const names = Object.values(realTimers).join(', ')
  const clock = '../core/clock.js'
  const file = join(folder, 'esm/mail/libraries.js')
  const shared: BuildOptions = {
    define: realTimers,
    minifyWhitespace: true,
    sourcemap: false,
    legalComments: 'none',
    plugins: [leaveOutConversions()],
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
  return [metafile]
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
