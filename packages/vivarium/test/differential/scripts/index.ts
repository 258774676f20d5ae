import type { Script } from '../script.ts'
import { errorScripts } from './errors.ts'
import { extendedScripts } from './extended.ts'
import { copyScripts } from './copy.ts'
import { deferredScripts } from './deferred.ts'
import { oddScripts } from './odd.ts'
import { pipelineScripts } from './pipelines.ts'
import { savepointScripts } from './savepoints.ts'
import { sessionScripts } from './session.ts'
import { statementScripts } from './statements.ts'
import { transactionScripts } from './transactions.ts'

/** Every script. */
export const scripts: readonly Script[] = [
  ...statementScripts,
  ...errorScripts,
  ...transactionScripts,
  ...savepointScripts,
  ...extendedScripts,
  ...sessionScripts,
  ...deferredScripts,
  ...copyScripts,
  ...oddScripts,
  ...pipelineScripts,
]
