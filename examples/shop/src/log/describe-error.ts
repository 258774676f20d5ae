/** An error as it is written down. */
export interface DescribedError {
  readonly name: string
  readonly message: string
  /** Of the system, of Postgres or of a library: `ECONNREFUSED`, `23505`. */
  readonly code?: string
  /** Where it was thrown, without the message that heads a stack. */
  readonly stack?: string
  readonly cause?: DescribedError
  readonly errors?: readonly DescribedError[]
}

/** Says what went wrong without the values that it went wrong with: those may be a user's. */
export function describeError(error: unknown): DescribedError {
  if (!(error instanceof Error)) return { name: typeof error, message: 'something that is no Error was thrown' }
  const { name, code, cause } = error as Error & { code?: unknown }
  return {
    name,
    message: messageOf(error),
    ...(typeof code === 'string' && { code }),
    ...(error.stack !== undefined && { stack: framesOf(error.stack) }),
    ...(cause !== undefined && { cause: describeError(cause) }),
    ...(error instanceof AggregateError && { errors: error.errors.map(describeError) }),
  }
}

/** Drizzle's message has the parameters of the query: hashes of passwords among them, and what users have written. */
function messageOf(error: Error): string {
  return 'query' in error && 'params' in error ? `Failed query: ${String(error.query)}` : error.message
}

function framesOf(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .map((line) => line.trim())
    .join('\n')
}
