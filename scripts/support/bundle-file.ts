import { build } from 'esbuild'
import type { BuildOptions, Metafile } from 'esbuild'

/** Makes one file, for Node, of `file` and what it imports; in its place unless the options say otherwise. */
export async function bundleFile(file: string, options: BuildOptions): Promise<Metafile> {
  const { metafile } = await build({
    entryPoints: [file],
    outfile: file,
    allowOverwrite: true,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    sourcemap: true,
    sourcesContent: false,
    // As in every ES module: what asks `typeof require` is to see that there is none, not the bundler's own.
    define: { require: 'undefined' },
    logLevel: 'warning',
    ...options,
    metafile: true,
  })
  return metafile
}
