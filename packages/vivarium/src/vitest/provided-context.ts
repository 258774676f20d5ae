import type { JoinInfo } from '../vivarium/vivarium.ts'
import type { TestNotes } from './notes.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** What a worker needs to join the run; read by Vivarium's own set-up file. */
    vivarium: JoinInfo
  }
  interface TaskMeta {
    /** What Vivarium saw in this test (on a file's task: around its tests). */
    vivarium?: TestNotes
  }
}
