/** `npm run shop`: the reference application, running. This very process is the shop, so that a signal reaches it. */
import { root } from './support/paths.ts'
import { run } from './support/run.ts'

const build = await run(process.execPath, ['--import', 'tsx', 'scripts/build.ts', '--if-needed'], { cwd: root })
if (build.code === 0) await import('../examples/shop/dev/start.ts')
else process.exitCode = 1
