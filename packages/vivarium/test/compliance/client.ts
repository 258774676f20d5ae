import type { Sandbox } from '../../src/index.ts'
import type { Isolation } from '../../src/core/options.ts'
import type { ClientName } from './clients.ts'
import type { ResultOf, StepName } from './script.ts'

/** What a step has at hand. */
export interface StepContext<App> {
  /** The client, with at most five connections. */
  readonly app: App
  readonly url: string
  readonly isolation: Isolation
  readonly sandbox: Sandbox
  /** In the step `roles`: the role to become. */
  readonly role: string
  /** Opens the client once more; it is closed behind the step. */
  open(options?: OpenOptions): Promise<App>
  /** Closes the sandbox and opens the next one. */
  nextSandbox(): Promise<void>
}

/** How a client is opened. */
export interface OpenOptions {
  /** @default 5 */
  readonly connections?: number
  /** Send statements without waiting for the answers before them, where the client leaves the choice. @default false */
  readonly pipeline?: boolean
}

/** A step that the client has no way to carry out. */
export interface No {
  readonly no: string
}

/** Says why a client cannot carry a step out. */
export function no(reason: string): No {
  return { no: reason }
}

/** A step that the client's way to carry it out makes impossible in isolation `'transaction'`. */
export interface NotInTransaction<W> {
  readonly notInTransaction: string
  readonly work: W
}

/** Says why this client's way needs isolation `'database'`. */
export function notInTransaction<W>(reason: string, work: W): NotInTransaction<W> {
  return { notInTransaction: reason, work }
}

/** One client library: how it is opened and closed, and how it carries out each step. */
export interface ComplianceClient<App> {
  readonly name: ClientName
  /** As the table names it, with the version that ran. */
  readonly version: string
  open(url: string, options: OpenOptions): App | Promise<App>
  close(app: App): Promise<void>
  /** It is given the sandbox's pinned URL, as another process needs it, instead of the stable one. @default false */
  readonly usesPinnedUrl?: boolean
  readonly steps: {
    readonly [K in StepName]: Work<App, K> | NotInTransaction<Work<App, K>> | No
  }
}

/** Carries out a step and returns what the application saw. */
export type Work<App, K extends StepName> = (context: StepContext<App>) => Promise<ResultOf<K>>

/** The SQLSTATE that `work` fails with. Wrapped errors are looked into. */
export async function failureOf(work: PromiseLike<unknown>): Promise<string> {
  return sqlState(await rejectionOf(work))
}

/** The SQLSTATE of an error; any other error is thrown on. */
function sqlState(error: unknown): string {
  return String(serverError(error)['code'])
}

/** The error that came from the server, out of what a client wraps around it. */
function serverError(error: unknown): Record<string, unknown> {
  for (let at = error; at instanceof Error; at = at.cause) {
    const fields = at as unknown as Record<string, unknown>
    if (/^[0-9A-Z]{5}$/.test(String(fields['code']))) return fields
  }
  throw error
}

/** What each piece of work came to: `done` when it succeeded, else its SQLSTATE. */
export function outcomesOf<T extends string>(work: readonly PromiseLike<unknown>[], done: T): Promise<string[]> {
  return Promise.all(work.map((one) => Promise.resolve(one).then(() => done, sqlState)))
}

/** Lets nobody go on before `count` have come. */
export function meeting(count: number): () => Promise<void> {
  let missing = count
  let open = (): void => undefined
  const all = new Promise<void>((resolve) => {
    open = resolve
  })
  return () => {
    missing -= 1
    if (missing === 0) open()
    return all
  }
}

/** The result of the step `errorFields`, whatever names the client gives the fields. */
export function fieldsOf(violation: unknown, mistake: unknown): ResultOf<'errorFields'> {
  const seen = serverError(violation)
  const { code, position } = serverError(mistake)
  return {
    violation: {
      code: String(seen['code']),
      constraint: String(seen['constraint'] ?? seen['constraint_name']),
      table: String(seen['table'] ?? seen['table_name']),
      detail: String(seen['detail']),
    },
    mistake: { code: String(code), position: String(position) },
  }
}

/** What `work` rejects with. */
export async function rejectionOf(work: PromiseLike<unknown>): Promise<unknown> {
  try {
    await work
  } catch (error) {
    return error
  }
  throw new Error('it was to fail, and it did not')
}
