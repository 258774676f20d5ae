/** Headers as a client gives them: pairs (a `Headers` object is such a list), or an object. */
export type ContractHeaders = Iterable<readonly [string, string]> | Readonly<Record<string, string>>

/** A request as it crossed: an absolute URL, its bytes undecoded. */
export interface ContractRequest {
  readonly method: string
  readonly url: string
  readonly headers: ContractHeaders
  /** `undefined` where nothing was sent. */
  readonly body: Uint8Array | undefined
  /** The body is not at hand (a recording without it): it is not checked. @default false */
  readonly bodyMissing?: boolean
}

/** A response as it crossed. */
export interface ContractResponse {
  readonly status: number
  readonly headers: ContractHeaders
  /** `undefined` where nothing was sent. */
  readonly body: Uint8Array | undefined
  /** The body is not at hand (a recording without it): it is not checked. @default false */
  readonly bodyMissing?: boolean
}

/** Which half of the conversation: it decides about `readOnly` and `writeOnly`. */
export type Side = 'request' | 'response'

/** Where in a message a violation is. */
export type MessagePart = 'path' | 'method' | 'query' | 'header' | 'cookie' | 'body' | 'status' | 'content-type'

/** One rule of the document that a message breaks. Plain data. */
export interface Violation {
  readonly side: Side
  readonly part: MessagePart
  /** JSON pointer into that part of the message: `/items/0/price`, `/limit` of a query; empty for the part itself. */
  readonly pointer: string
  /** The rule's name: a keyword of JSON Schema (`type`, `required`), or of OpenAPI (`security`, `responses`). */
  readonly rule: string
  /** JSON pointer into the document: where the rule stands. */
  readonly ruleAt: string
  /** What was seen there; `undefined` where something is missing. */
  readonly value: unknown
  /** What is wanted and what was seen, in words. */
  readonly message: string
}

/** The operation of a document that a request is meant for. */
export interface OperationRef {
  /** The contract's name. */
  readonly contract: string
  /** In capitals. */
  readonly method: string
  /** As the document writes it: `/v1/charges/{charge}`. */
  readonly path: string
  readonly operationId: string | undefined
  /** JSON pointer into the document. */
  readonly pointer: string
}

/** What checking a request found. */
export interface ContractCheck {
  /** `undefined` where the document has no such path or method. */
  readonly operation: OperationRef | undefined
  /** Every rule that is broken; empty when all is well. */
  readonly violations: readonly Violation[]
}

/** How a document is opened. */
export interface OpenContractOptions {
  /** In place of the `servers` of the document as a whole; those of single paths and operations stay. @default the document's `servers` */
  readonly baseUrl?: string | readonly string[]
  /** In messages. @default `info.title` of the document */
  readonly name?: string
  /**
   * Fields that a schema does not list. By default they are refused where the document says so (`additionalProperties: false`,
   * `unevaluatedProperties: false`), as JSON Schema has it. `'refuse'`: also where a schema lists `properties` and says nothing
   * of others. @default 'asDocumented'
   */
  readonly unknownFields?: 'asDocumented' | 'refuse'
}

/** An OpenAPI document, ready to check messages. Nothing has to be closed. */
export interface Contract {
  readonly name: string
  /** Whether a URL is below one of the document's base URLs. */
  covers(url: string): boolean
  /** How many characters of the URL its base URL has: the longest of several documents is meant. `undefined`: not covered. */
  reach(url: string): number | undefined
  /** Checks a request against the operation that it is meant for. Throws `CONTRACT_INVALID` where that is written wrongly. */
  checkRequest(request: ContractRequest): ContractCheck
  /** Checks a response to a request; empty where the document has no such operation: {@link checkRequest} says so. */
  checkResponse(request: ContractRequest, response: ContractResponse): readonly Violation[]
  /**
   * A valid response to a request: the document's own example where it is valid, else one made from the schema. `status` is by
   * default the lowest successful one. Throws `CONTRACT_NO_EXAMPLE` where none can be made.
   */
  exampleResponse(request: ContractRequest, status?: number): ContractResponse
}
