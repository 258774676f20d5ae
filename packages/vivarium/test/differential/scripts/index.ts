import type { Script } from '../script.ts'
import { errorScripts } from './errors.ts'
import { extendedScripts } from './extended.ts'
import { copyScripts, deferredScripts, oddScripts, sessionScripts } from './session.ts'
import { statementScripts } from './statements.ts'
import { savepointScripts, transactionScripts } from './transactions.ts'

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
]
