/**
 * HTTP services of others: what a test expects of them, what they answer, how they fail.
 *
 * @module
 */
export { defineService, inOrder } from './service.ts'
export type { DefineServiceOptions, ExpectedRequest, Service, StubbedRequest } from './service.ts'
export { down, failsOnce, rateLimited, redirect, reset, slow, timeOut, truncated } from './behaviours.ts'
export type { Behaviour } from './behaviours.ts'
export type { Answer, AnswerOptions } from './answer.ts'
export type { RequestCriteria } from './request-pattern.ts'
export type { RequestHandlerLike } from './msw-handler.ts'
export type { ServiceContract } from './service-contract.ts'
export { openContract } from './contract/open-contract.ts'
export { checkHar } from './contract/check-har.ts'
export type { HarViolation } from './contract/check-har.ts'
export type {
  Contract,
  ContractCheck,
  ContractHeaders,
  ContractRequest,
  ContractResponse,
  MessagePart,
  OpenContractOptions,
  OperationRef,
  Side,
  Violation,
} from './contract/types.ts'
export { renderViolations } from './contract/render-violations.ts'
