import type { SandboxOwner } from '../../core/owner.ts'
import { mayChangeCatalogue } from '../../postgres/gateway/query-record.ts'

/** How often a sandbox, and those around it, may have changed what its database holds. */
export class CatalogueChanges {
  readonly #owner: SandboxOwner
  readonly #around: CatalogueChanges | undefined
  #read = 0
  #own = 0

  constructor(owner: SandboxOwner, around: CatalogueChanges | undefined) {
    this.#owner = owner
    this.#around = around
  }

  get count(): number {
    const { interactions } = this.#owner.recorder
    for (; this.#read < interactions.length; this.#read++) {
      const one = interactions[this.#read]
      if (one?.component === 'postgres' && one.command !== undefined && mayChangeCatalogue(one.command)) this.#own++
    }
    return this.#own + (this.#around?.count ?? 0)
  }
}
