import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository. */
export const root: string = join(dirname(fileURLToPath(import.meta.url)), '../..')

/** The published package. */
export const packageFolder: string = join(root, 'packages/vivarium')
