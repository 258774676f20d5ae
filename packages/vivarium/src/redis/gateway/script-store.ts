import type { Scripts } from '../commands/plan.ts'
import type { ScriptPreamble, WrappedScript } from '../commands/script-preamble.ts'

/** Scripts that were only run, with EVAL, and that are kept: as many as a server keeps from 7.4 on. */
const mostEvaluated = 500

/** The scripts that this process has seen. As a server's they outlive a test, until it flushes them. */
export class ScriptStore {
  readonly #preamble: ScriptPreamble
  readonly #byText: Map<string, WrappedScript> = new Map()
  /** Texts that nobody has loaded, the one that was used longest ago first. */
  readonly #evaluated: Set<string> = new Set()
  readonly #byDigest: Map<string, WrappedScript> = new Map()

  constructor(preamble: ScriptPreamble) {
    this.#preamble = preamble
  }

  /** The scripts as one sandbox knows them. */
  view(): Scripts {
    let onlyThese: Set<string> | undefined
    return {
      wrap: (script, isLoaded = false) => {
        const wrapped = this.#wrap(script, isLoaded)
        onlyThese?.add(wrapped.digest)
        return wrapped
      },
      wrappedDigest: (digest) =>
        onlyThese === undefined || onlyThese.has(digest) ? this.#byDigest.get(digest)?.wrappedDigest : undefined,
      flush: () => {
        onlyThese = new Set()
      },
    }
  }

  #wrap(script: Buffer, isLoaded: boolean): WrappedScript {
    const text = script.toString('latin1')
    let wrapped = this.#byText.get(text)
    const isPassing = this.#evaluated.delete(text) || wrapped === undefined
    if (wrapped === undefined) {
      wrapped = this.#preamble.wrap(script)
      this.#byText.set(text, wrapped)
      this.#byDigest.set(wrapped.digest, wrapped)
    }
    if (isPassing && !isLoaded) {
      this.#evaluated.add(text)
      if (this.#evaluated.size > mostEvaluated) this.#forgetOldest()
    }
    return wrapped
  }

  #forgetOldest(): void {
    const [oldest = ''] = this.#evaluated
    const digest = this.#byText.get(oldest)?.digest
    this.#evaluated.delete(oldest)
    this.#byText.delete(oldest)
    if (digest !== undefined) this.#byDigest.delete(digest)
  }
}
