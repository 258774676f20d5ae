/**
 * What is used of a request handler of MSW (`http.post(…)`, `graphql.query(…)`), versions 2 and 3: their public methods only. So MSW is never
 * imported here, and any object with these does.
 */
export interface RequestHandlerLike {
  readonly info: {
    readonly header: string
    readonly method?: unknown
    readonly path?: unknown
    readonly callFrame?: string
  }
  test(args: HandlerArguments): Promise<boolean>
  run(args: HandlerArguments & { requestId: string }): Promise<{ readonly response?: Response } | null>
}

interface HandlerArguments {
  request: Request
  resolutionContext?: { baseUrl?: string }
}

/** MSW's way of saying "as if there were no handler": a `Response` with this header (`passthrough()`). */
export function isPassthrough(response: Response): boolean {
  return response.headers.get('x-msw-intention') === 'passthrough'
}

/** Whether it is a handler of MSW. */
export function isRequestHandler(value: unknown): value is RequestHandlerLike {
  const { run, test } = value as Partial<RequestHandlerLike>
  return typeof run === 'function' && typeof test === 'function'
}
