/**
 * Integration tests over real components, one isolated world per test.
 *
 * @module vivarium
 */
export { VivariumError, SandboxFailures, errorCodes } from './core/errors.ts'
export type { ErrorCode, ErrorReport } from './core/errors.ts'
export type { FidelityWarning, Interaction, Observation, ObservedQuery } from './core/interactions.ts'
