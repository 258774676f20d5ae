import type { ArmContext, Operation } from '../arms/arm.ts'
import type { ArmName } from '../arms/index.ts'

/** What the benchmark says to an arm's process. */
export type ArmRequest =
  | { kind: 'open'; arm: ArmName; context: ArmContext }
  | { kind: 'measure'; operation: Operation; count: number }
  | { kind: 'close' }

/** What an arm's process answers, one answer to each request. */
export type ArmAnswer =
  | { kind: 'opened'; serverUrl?: string; operations: Operation[] }
  | { kind: 'measured'; ms: number }
  | { kind: 'closed' }
  | { kind: 'failed'; message: string }
