import { VivariumError } from '../core/errors.ts'
import type { ObservedRequest } from '../core/interactions.ts'
import { indentText } from '../core/wrap-text.ts'
import { type PlainAnswer, wholeAnswer } from './answer.ts'
import { renderViolations } from './contract/render-violations.ts'
import type { Contract, ContractHeaders, ContractRequest } from './contract/types.ts'
import type { ReceivedRequest } from './received-request.ts'
import type { Rule } from './rule.ts'
import { titleOf } from './rule.ts'
import type { ServiceDefinition } from './service-definition.ts'

/** What is used of a contract: `openContract` makes one of an OpenAPI document. */
export type ServiceContract = Pick<Contract, 'checkRequest' | 'checkResponse' | 'exampleResponse'>

/** The error for a request that its service's contract does not allow; `undefined` when all is well. */
export async function brokenByRequest(
  service: ServiceDefinition | undefined,
  received: ReceivedRequest,
  observed: ObservedRequest,
): Promise<VivariumError | undefined> {
  const contract = await service?.contract?.()
  const { violations = [] } = contract?.checkRequest(messageOf(received)) ?? {}
  if (violations.length === 0) return undefined
  return new VivariumError('HTTP_CONTRACT_BROKEN', {
    what: `${titleOf(observed)}: this request breaks the contract of ${service!.name}, which would refuse it.`,
    seen: `the rules that it breaks\n${indentText(renderViolations(violations), '    ')}`,
    remedy: 'Repair what makes the request; or the document, where the service takes it.',
  })
}

/** An answer, whole, once it is known to be one that the service could give. Throws `HTTP_CONTRACT_BROKEN` where it is none. */
export async function allowedAnswer(
  service: ServiceDefinition | undefined,
  received: ReceivedRequest,
  answer: PlainAnswer,
  rule: Rule,
): Promise<PlainAnswer> {
  const contract = await service?.contract?.()
  if (contract === undefined) return answer
  const whole = await wholeAnswer(answer)
  const violations = contract.checkResponse(messageOf(received), whole)
  if (violations.length === 0) return whole
  throw new VivariumError('HTTP_CONTRACT_BROKEN', {
    what: `${titleOf(received)}: the test's answer breaks the contract of ${service!.name}, which never answers so.\n    Answered by ${rule.title}, defined at ${rule.definedAt.text}`,
    seen: `the rules that it breaks\n${indentText(renderViolations(violations), '    ')}`,
    remedy: 'Repair the answer in the test; or the document, where the service does answer so.',
  })
}

/** A valid answer, made from the contract. Throws `CONFIG_INVALID` when the service has none. */
export async function exampleAnswer(
  service: ServiceDefinition | undefined,
  received: ReceivedRequest,
  status: number | undefined,
): Promise<PlainAnswer> {
  const contract = await service?.contract?.()
  if (contract === undefined) throw noContract(service?.name ?? received.url.origin)
  const example = contract.exampleResponse(messageOf(received), status)
  const headers = isPairs(example.headers) ? [...example.headers] : Object.entries(example.headers)
  return { status: example.status, statusText: '', headers, body: example.body }
}

/** The error for asking a service without a contract for what only one can say. */
export function noContract(service: string): VivariumError {
  return new VivariumError('CONFIG_INVALID', {
    what: `${service} has no contract that an answer could be made from.`,
    remedy:
      "Give it one: defineService(name, url, { contract: openContract('./openapi.json') }); or say the answer: `.replies(…)`.",
  })
}

function messageOf({ method, url, headers, body }: ReceivedRequest): ContractRequest {
  return { method, url: url.href, headers, body }
}

function isPairs(headers: ContractHeaders): headers is Iterable<readonly [string, string]> {
  return Symbol.iterator in headers
}
