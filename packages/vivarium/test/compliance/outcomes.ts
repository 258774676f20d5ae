import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Isolation } from '../../src/core/options.ts'
import type { ClientName } from './clients.ts'
import type { StepName } from './script.ts'

/** A cell of the table: `yes`, `yes, warning "…"`, or `no: …`. */
type Cells = Partial<Record<StepName, Partial<Record<Isolation, string>>>>

/** docs/compliance.json: what the last full run saw. */
export interface Committed {
  readonly clients: Partial<Record<ClientName, { readonly version: string; readonly steps: Cells }>>
}

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const outcomesFolder = process.env['VIVARIUM_COMPLIANCE_OUTCOMES']

/** The version of an installed package. */
export function versionOf(name: string): string {
  const folder = createRequire(import.meta.url)
    .resolve.paths(name)
    ?.find((candidate) => readPackage(join(candidate, name)) !== undefined)
  return String(folder === undefined ? 'missing' : readPackage(join(folder, name)))
}

function readPackage(folder: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version
  } catch {
    return undefined
  }
}

/** Compares what one client's run sees with docs/compliance.json, or writes it down where the table is made from. */
export class Outcomes {
  readonly #client: ClientName
  readonly #version: string
  readonly #cells: Cells = {}

  constructor(client: ClientName, version: string) {
    this.#client = client
    this.#version = version
  }

  /** A step has run, and this is its cell. */
  saw(step: StepName, isolation: Isolation, cell: string): void {
    if (outcomesFolder !== undefined) {
      this.#cells[step] = { ...this.#cells[step], [isolation]: cell }
      return
    }
    const committed = readCommitted().clients[this.#client]?.steps[step]?.[isolation]
    if (cell === committed) return
    const remedy = 'What to do, when this is what it should be: npm run compliance:table'
    throw new Error(`docs/compliance.json says "${committed ?? 'nothing'}", and this run saw "${cell}". ${remedy}`)
  }

  /** All steps of the client have run. */
  finish(): void {
    if (outcomesFolder === undefined) return
    mkdirSync(outcomesFolder, { recursive: true })
    const outcome: Committed = { clients: { [this.#client]: { version: this.#version, steps: this.#cells } } }
    writeFileSync(join(outcomesFolder, `${this.#client}.json`), JSON.stringify(outcome))
  }
}

function readCommitted(): Committed {
  return JSON.parse(readFileSync(join(root, 'docs/compliance.json'), 'utf8')) as Committed
}
