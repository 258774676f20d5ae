import { join } from 'node:path'
import type { BuildOptions, Metafile } from 'esbuild'
import { bundleFile } from './bundle-file.ts'

/**
 * The validator of JSON Schema and the reader of YAML, in the package itself: nothing to install, and one file to load each, when
 * it is needed (docs/decisions/095).
 */
export function bundleContractLibraries(folder: string): Promise<Metafile[]> {
  return Promise.all(
    ['ajv-library', 'yaml-library'].map(async (name) => {
      const file = join(folder, `esm/http/contract/${name}.js`)
      const shared: BuildOptions = { define: {}, minifyWhitespace: true, sourcemap: false, legalComments: 'none' }
      // From the ES modules as well; before they are overwritten.
      await bundleFile(file, { ...shared, outfile: join(folder, `cjs/http/contract/${name}.js`), format: 'cjs' })
      // They are CommonJS and ask for Node's own modules.
      const require = 'const require = createRequire(import.meta.url);'
      return bundleFile(file, { ...shared, banner: { js: `import { createRequire } from 'node:module';\n${require}` } })
    }),
  )
}
