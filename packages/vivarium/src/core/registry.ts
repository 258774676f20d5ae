import { AsyncLocalStorage } from 'node:async_hooks'
import { VivariumError } from './errors.ts'

/** What the registry needs to know of a sandbox. */
export interface RegisteredSandbox {
  readonly title: string
}

/** The state that every copy of Vivarium in one realm shares: the ES module and the CommonJS build, and bundled ones. */
interface Registry {
  /** Raised whenever the fields below change their meaning. */
  readonly shape: 1
  readonly context: AsyncLocalStorage<RegisteredSandbox>
  /** Open sandboxes that were not opened as concurrent, oldest first; the last one is the worker's current sandbox. */
  readonly current: RegisteredSandbox[]
  /** What is opened once per worker, however often a runner loads the module that opens it. */
  readonly opened: Map<string, unknown>
}

const key = Symbol.for('vivarium')

function registry(): Registry {
  const realm = globalThis as { [key]?: Registry }
  const known = realm[key]
  if (known === undefined) {
    return (realm[key] = { shape: 1, context: new AsyncLocalStorage(), current: [], opened: new Map() })
  }
  if (known.shape !== 1) {
    throw new VivariumError('VERSIONS_MIXED', {
      what: 'Two versions of Vivarium are loaded in one process and cannot share their sandboxes.',
      seen: `state of shape ${String(known.shape)}, this copy understands shape 1`,
      remedy: 'Install one version: `npm ls vivarium` shows where the other one comes from.',
    })
  }
  return known
}

/** Calls `fn` so that it, and every flow it starts, finds `sandbox` as the current one. */
export function runInContext<T>(sandbox: RegisteredSandbox, fn: () => T): T {
  return registry().context.run(sandbox, fn)
}

/** Makes `sandbox` the worker's current one until it is removed. */
export function addCurrent(sandbox: RegisteredSandbox): void {
  registry().current.push(sandbox)
}

/** Takes `sandbox` away; the one below it is current again. */
export function removeCurrent(sandbox: RegisteredSandbox): void {
  const { current } = registry()
  const index = current.lastIndexOf(sandbox)
  if (index >= 0) current.splice(index, 1)
}

/** The sandbox of this flow, else the worker's current one, else `undefined`. */
export function findSandbox(): RegisteredSandbox | undefined {
  return registry().context.getStore() ?? findCurrent()
}

/** The worker's current sandbox, whatever flow asks: what a stable URL means, for bytes on a wire carry no context. */
export function findCurrent(): RegisteredSandbox | undefined {
  return registry().current.at(-1)
}

/** What `open` returned when this worker first asked for `name`. */
export function openOncePerWorker<T>(name: string, open: () => T): T {
  const { opened } = registry()
  if (!opened.has(name)) opened.set(name, open())
  return opened.get(name) as T
}
