import type { Scripts } from '../commands/plan.ts'
import type { ScriptPreamble, WrappedScript } from '../commands/script-preamble.ts'

/** The scripts that this process has seen. As a server's they outlive a test, until it flushes them. */
export class ScriptStore {
  readonly #preamble: ScriptPreamble
  readonly #byText: Map<string, WrappedScript> = new Map()
  readonly #byDigest: Map<string, WrappedScript> = new Map()

  constructor(preamble: ScriptPreamble) {
    this.#preamble = preamble
  }

  /** The scripts as one sandbox knows them. */
  view(): Scripts {
    let onlyThese: Set<string> | undefined
    return {
      wrap: (script) => {
        const wrapped = this.#wrap(script)
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

  #wrap(script: Buffer): WrappedScript {
    const text = script.toString('latin1')
    let wrapped = this.#byText.get(text)
    if (wrapped === undefined) {
      wrapped = this.#preamble.wrap(script)
      this.#byText.set(text, wrapped)
      this.#byDigest.set(wrapped.digest, wrapped)
    }
    return wrapped
  }
}
