import type { OpenArmFunction } from './arm.ts'

/** Every arm, loaded only in the process that runs it: one of them patches `pg`, another brings a megabyte of WASM. */
export const arms = {
  plain: async () => (await import('./plain.ts')).openPlainArm,
  vivarium: async () => (await import('./vivarium.ts')).openVivariumArm,
  components: async () => (await import('./components.ts')).openComponentsArm,
  factory: async () => (await import('./factory.ts')).openFactoryArm,
  redis: async () => (await import('./redis.ts')).openRedisArm,
  truncate: async () => (await import('./truncate.ts')).openTruncateArm,
  'template clone': async () => (await import('./template-clone.ts')).openTemplateCloneArm,
  'pg-transactional-tests': async () => (await import('./pg-transactional-tests.ts')).openPgTransactionalTestsArm,
  'PGlite, new instance': async () => (await import('./pglite.ts')).openPgliteInstanceArm,
  'PGlite, transaction': async () => (await import('./pglite.ts')).openPgliteTransactionArm,
} as const satisfies Record<string, () => Promise<OpenArmFunction>>

/** The name of an arm. */
export type ArmName = keyof typeof arms
