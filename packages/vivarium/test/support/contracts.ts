import { openContract } from '../../src/http/contract/open-contract.ts'
import type {
  Contract,
  ContractRequest,
  ContractResponse,
  OpenContractOptions,
  Violation,
} from '../../src/http/contract/types.ts'

/** Where the services of the tests' documents are. */
export const base = 'https://api.example.test'

type Version = '3.0.3' | '3.1.0'

/** A document around some paths and components. */
export function documentOf(
  paths: object,
  components: object = {},
  openapi: Version = '3.1.0',
): Record<string, unknown> {
  return { openapi, info: { title: 'Test API', version: '1' }, servers: [{ url: base }], paths, components }
}

/** A contract of one operation, `POST /things`, whose body and answer are described by these schemas. */
export function openBodies(
  schemas: { request?: unknown; response?: unknown; type?: string; components?: object; openapi?: Version },
  options: OpenContractOptions = {},
): Promise<Contract> {
  const { request = {}, response = {}, type = 'application/json', components = {}, openapi } = schemas
  const operation = {
    requestBody: { content: { [type]: { schema: request } } },
    responses: { 200: { description: '', content: { 'application/json': { schema: response } } } },
  }
  return openContract(documentOf({ '/things': { post: operation } }, { schemas: components }, openapi), options)
}

/** A request without a body. */
export function get(path: string, headers: Record<string, string> = {}, method = 'GET'): ContractRequest {
  return { method, url: path.startsWith('http') ? path : base + path, headers, body: undefined }
}

/** A request with a body of bytes or text. */
export function post(path: string, body: string | Uint8Array, contentType: string | undefined): ContractRequest {
  const headers: Record<string, string> = contentType === undefined ? {} : { 'Content-Type': contentType }
  return { method: 'POST', url: base + path, headers, body: Buffer.from(body) }
}

/** A request with a body of JSON. */
export function postJson(path: string, value: unknown): ContractRequest {
  return post(path, JSON.stringify(value), 'application/json')
}

/** A response of JSON. */
export function answerJson(value: unknown, status = 200, headers: Record<string, string> = {}): ContractResponse {
  return {
    status,
    headers: { 'Content-Type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(value)),
  }
}

/** Violations in one line each: the part, the place in it, the rule. */
export function brief(violations: readonly Violation[]): string[] {
  return violations.map(({ part, pointer, rule }) => [part, pointer, rule].filter((word) => word !== '').join(' '))
}

/** What is wrong with a JSON value that is posted to `/things`. */
export function checkValue(contract: Contract, value: unknown): string[] {
  return brief(contract.checkRequest(postJson('/things', value)).violations)
}

/** What is wrong with a JSON value that `/things` answers. */
export function checkAnswer(contract: Contract, value: unknown): string[] {
  return brief(contract.checkResponse(postJson('/things', {}), answerJson(value)))
}

/** The keywords `if` and `then` of a schema; an object with `then` cannot be written as one (it could be taken for a promise). */
export function conditional(condition: object, consequence: object): object {
  return JSON.parse(`{ "if": ${JSON.stringify(condition)}, "then": ${JSON.stringify(consequence)} }`) as object
}

/** Cases as `test.each` takes them, for titles with the whole name. */
export function byName<T extends { readonly name: string }>(cases: readonly T[]): (readonly [string, T])[] {
  return cases.map((one) => [one.name, one])
}
