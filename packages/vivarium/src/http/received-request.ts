/** One request of the application, read whole. */
export interface ReceivedRequest {
  readonly method: string
  /** As the application asked for it. */
  readonly url: URL
  /** Names in lower case, in the order in which they came. */
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Uint8Array | undefined
}

/** The request for a handler: a new one each time, for its body can be read once. */
export function toFetchRequest({ method, url, headers, body }: ReceivedRequest): Request {
  const canHaveBody = method !== 'GET' && method !== 'HEAD'
  return new Request(url, {
    method,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
    body: canHaveBody ? body : undefined,
  })
}

/** One header's value. */
export function headerOf({ headers }: Pick<ReceivedRequest, 'headers'>, name: string): string | undefined {
  const values = headers.filter(([key]) => key === name).map(([, value]) => value)
  return values.length === 0 ? undefined : values.join(', ')
}

/** Headers by name. */
export function headerRecord(headers: ReceivedRequest['headers']): Record<string, string> {
  const record: Record<string, string> = {}
  for (const [name, value] of headers) record[name] = name in record ? `${record[name]}, ${value}` : value
  return record
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Bytes as a text where they are UTF-8. */
export function textOrBytes(bytes: Uint8Array | undefined): string | Uint8Array | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined
  try {
    return utf8.decode(bytes)
  } catch {
    return bytes
  }
}

/** The body as JSON; `undefined` when it is none. */
export function jsonOf(request: Pick<ReceivedRequest, 'body'>): unknown {
  const text = textOrBytes(request.body)
  if (typeof text !== 'string') return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** The fields of a form-encoded text, or of a query, by name as sent (`metadata[order]`); a name sent twice has both values. */
export function fieldsOf(fields: URLSearchParams): Record<string, string | string[]> {
  const record: Record<string, string | string[]> = {}
  for (const name of new Set(fields.keys())) {
    const values = fields.getAll(name)
    record[name] = values.length === 1 ? values[0]! : values
  }
  return record
}
