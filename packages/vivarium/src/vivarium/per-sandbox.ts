import { callSiteOf } from '../core/call-site.ts'
import { withDeadline } from '../core/clock.ts'
import { VivariumError } from '../core/errors.ts'
import { findOwner, type SandboxOwner } from '../core/owner.ts'
import { forwarded } from './forwarded.ts'
import type { Sandbox } from './sandbox.ts'

/** What can be one client per sandbox: an object or a function, and not a promise of one. */
export type PerSandboxClient = object & { readonly then?: never }

/** Options of {@link perSandbox}. */
export interface PerSandboxOptions<T> {
  /**
   * Ends a client when its sandbox closes; `false` for one that needs no ending.
   *
   * @default its own `[Symbol.asyncDispose]()`, `end()`, `close()` or `destroy()`, the first that it has
   */
  close?: ((client: T) => unknown) | false
  /** Milliseconds that ending a client may take. @default 2000 */
  closeMs?: number
  /** Names it in messages. @default the place of the call */
  name?: string
}

/** What perSandbox asks of a sandbox. */
type Owner = Sandbox & SandboxOwner

/** A sandbox's client, from its first use until the sandbox ends it. */
type Entry<T> = { readonly state: 'open'; readonly client: T } | { readonly state: 'closed' }

/**
 * One client per sandbox behind one object: a connection pool, a Redis client, a mail transport of an application that has one
 * for all. Whatever is done to the object is done to the client of the sandbox in which it is done, so tests that run at once each have
 * their own. `factory` makes that client, at the first use in a sandbox; it is ended when the sandbox closes, after the search for open transactions.
 *
 * Used where no sandbox is open it throws `NO_SANDBOX`, after its sandbox has closed `SANDBOX_CLOSED`. When no client can be made it throws
 * `CLIENT_NOT_CREATED`; one that does not end fails its sandbox with `CLIENT_NOT_CLOSED`.
 *
 * @example
 * ```ts
 * import { Pool } from 'pg'
 * import { perSandbox } from 'vivarium'
 *
 * const pool = perSandbox((sandbox) => new Pool({ connectionString: sandbox.postgres.url }))
 *
 * export async function countUsers(): Promise<number> {
 *   const { rows } = await pool.query('select count(*)::int as users from users')
 *   return rows[0].users
 * }
 * ```
 */
export function perSandbox<T extends PerSandboxClient>(
  factory: (sandbox: Sandbox) => T,
  options: PerSandboxOptions<T> = {},
): T {
  const name = options.name ?? `perSandbox() at ${callSiteOf(perSandbox).text}`
  const entries = new WeakMap<Sandbox, Entry<T>>()
  return forwarded(() => {
    const sandbox = findOwner() as Owner | undefined
    if (sandbox === undefined) throw noSandbox(name)
    const known = entries.get(sandbox)
    if (known?.state === 'open') return known.client
    if (known?.state === 'closed') throw clientClosed(name, sandbox)
    const client = make(factory, sandbox, name)
    const close = options.close ?? closeOf(client, name, sandbox)
    sandbox.own(name, async () => {
      entries.set(sandbox, { state: 'closed' })
      if (close !== false) await end(() => close(client), options.closeMs ?? 2000, name, sandbox)
    })
    entries.set(sandbox, { state: 'open', client })
    return client
  })
}

function make<T extends object>(factory: (sandbox: Sandbox) => T, sandbox: Sandbox, name: string): T {
  let client: T
  try {
    client = factory(sandbox)
  } catch (cause) {
    throw notCreated(name, sandbox, {
      seen: cause instanceof Error ? `the factory threw: ${cause.message}` : `the factory threw ${String(cause)}`,
      remedy: 'Repair the factory; it is called at the first use in each sandbox, with that sandbox.',
      cause,
    })
  }
  const isClient = (typeof client === 'object' && client !== null) || typeof client === 'function'
  if (isClient && typeof (client as { then?: unknown }).then !== 'function') return client
  throw notCreated(name, sandbox, {
    seen: `the factory returned ${isClient ? 'a promise' : client === null ? 'null' : `a value of type ${typeof client}`}`,
    remedy:
      'Return the client itself, at once. What it must await (connecting), it does at its first use, or the application does.',
  })
}

/** The client's own way to end. */
function closeOf<T extends object>(client: T, name: string, sandbox: Sandbox): (client: T) => unknown {
  const methods = client as Readonly<Record<PropertyKey, unknown>>
  const method = [Symbol.asyncDispose, 'end', 'close', 'destroy'].find((key) => typeof methods[key] === 'function')
  if (method !== undefined) return () => (methods[method] as () => unknown).call(client)
  throw notCreated(name, sandbox, {
    seen: 'the client has no [Symbol.asyncDispose](), end(), close() or destroy()',
    remedy:
      'Say how it is ended: `perSandbox(factory, { close: (client) => … })`, or `{ close: false }` when it holds nothing open, ' +
      'as one that is made of another perSandbox client.',
  })
}

async function end(close: () => unknown, ms: number, name: string, sandbox: Sandbox): Promise<void> {
  const late = (): VivariumError =>
    notClosed(name, sandbox, {
      seen: `it had not ended after ${ms} ms`,
      remedy:
        'A connection that was checked out and never given back is the usual cause: release it in a `finally`. For a client that ' +
        'needs longer, `perSandbox(factory, { closeMs })`.',
    })
  const ended = async (): Promise<void> => {
    try {
      await close()
    } catch (cause) {
      throw notClosed(name, sandbox, {
        seen: cause instanceof Error ? cause.message : String(cause),
        remedy: 'See the cause. The way it is ended is `perSandbox(factory, { close })`.',
        cause,
      })
    }
  }
  await withDeadline(ended(), ms, late)
}

type Details = Pick<VivariumError, 'remedy'> & { seen: string; cause?: unknown }

function noSandbox(name: string): VivariumError {
  return new VivariumError('NO_SANDBOX', {
    what: `The client of ${name} was used where no sandbox is open.`,
    remedy:
      'Use it inside a test or a hook, not while a file loads. What is done to every client as it is made (`pool.on(…)`) belongs ' +
      'into the factory.',
  })
}

function clientClosed(name: string, sandbox: Sandbox): VivariumError {
  return new VivariumError('SANDBOX_CLOSED', {
    what: `The client of ${name} was used after its sandbox "${sandbox.title}" had ended it.`,
    remedy: 'Await everything the test starts before it ends.',
  })
}

function notCreated(name: string, sandbox: Sandbox, details: Details): VivariumError {
  return new VivariumError('CLIENT_NOT_CREATED', {
    what: `No client could be made for sandbox "${sandbox.title}" by ${name}.`,
    ...details,
  })
}

function notClosed(name: string, sandbox: Sandbox, details: Details): VivariumError {
  return new VivariumError('CLIENT_NOT_CLOSED', {
    what: `The client of ${name} did not end when sandbox "${sandbox.title}" closed.`,
    ...details,
  })
}
