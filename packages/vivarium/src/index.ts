/**
 * The programmatic core: open a vivarium, open a sandbox, look at what happened in it.
 *
 * @module
 */
export { openVivarium } from './vivarium/open-vivarium.ts'
export type { JoinInfo, OpenSandboxOptions, Vivarium } from './vivarium/vivarium.ts'
export { currentSandbox } from './vivarium/current-sandbox.ts'
export type { Sandbox, SandboxPostgres, SandboxRedis } from './vivarium/sandbox.ts'
export { eventually } from './vivarium/eventually.ts'
export type { EventuallyOptions } from './vivarium/eventually.ts'
export { perSandbox } from './vivarium/per-sandbox.ts'
export type { PerSandboxClient, PerSandboxOptions } from './vivarium/per-sandbox.ts'
export { everyFault } from './vivarium/every-fault.ts'
export type { EveryFaultOptions, FaultChoice, FaultOutcome, FaultRun } from './vivarium/every-fault.ts'
export type { FaultReport, FaultRunReport } from './vivarium/fault-report.ts'
export type {
  CallMatch,
  CommandMatch,
  FaultCount,
  FaultPoint,
  MailMatch,
  QueryMatch,
  RequestMatch,
  SandboxFaults,
} from './vivarium/sandbox-faults.ts'
export type { RequestFailure } from './http/break-request.ts'
export type { MailFailure } from './mail/smtp-client.ts'
export type { QueryFailure } from './postgres/gateway/fault-failure.ts'
export type { Fault, FaultComponent } from './core/faults.ts'
export type { FaultKind, FaultMoment, InjectedFault } from './core/injected-fault.ts'
export type {
  FaultedCall,
  FaultedCommand,
  FaultedMail,
  FaultedRequest,
  FaultedStatement,
} from './core/fault-crossings.ts'
export { defineConfig } from './vivarium/config.ts'
export type { VivariumOptions } from './vivarium/config.ts'
export type { SandboxMail } from './mail/mailbox.ts'
export type { MailOptions } from './mail/options.ts'
export type { HttpOptions } from './http/options.ts'
export type { PostgresOptions } from './postgres/component/options.ts'
export type { RedisOptions } from './redis/component/options.ts'
export type { Migrations } from './postgres/template/migrations.ts'
export type { Fidelity, Isolation } from './core/options.ts'
export { SandboxFailures, VivariumError } from './core/errors.ts'
export type { ErrorCode, ErrorReport } from './core/errors.ts'
export type {
  FidelityWarning,
  Interaction,
  MailAddress,
  MailAttachment,
  Observation,
  ObservedCall,
  ObservedCommand,
  ObservedMail,
  ObservedMessage,
  ObservedQuery,
  ObservedRequest,
  Trace,
} from './core/interactions.ts'
