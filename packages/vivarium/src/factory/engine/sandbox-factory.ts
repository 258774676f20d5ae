import { AsyncLocalStorage } from 'node:async_hooks'
import { VivariumError } from '../../core/errors.ts'
import { findOwner } from '../../core/owner.ts'
import type { SandboxOwner, SandboxPart } from '../../core/owner.ts'
import { openOncePerWorker } from '../../core/registry.ts'
import type { Catalogue, Table } from '../catalogue/catalogue.ts'
import { tableNamed } from '../catalogue/find-table.ts'
import { readCatalogue } from '../catalogue/read-catalogue.ts'
import { planRows } from '../plan/plan-rows.ts'
import type { FindInserted, InsertedRow } from '../plan/attributes.ts'
import type { RowPlan } from '../plan/row-plan.ts'
import { plainRequest } from '../plan/row-request.ts'
import type { RequestParent, RowRequest } from '../plan/row-request.ts'
import { readValue } from '../values/read-value.ts'
import { Counters } from './counters.ts'
import { openFactoryConnection } from './factory-connection.ts'
import type { FactoryConnection, TextRow } from './factory-connection.ts'
import { insertPlans } from './insert-plans.ts'

/** A row by the database's own names. */
export type Row = Record<string, unknown>

/** Options of {@link SandboxFactory.insert}. */
export interface InsertOptions {
  /** What is asked for where a row needs a parent of which nothing was said. @default nothing more */
  readonly requestParent?: RequestParent
}

/** A sandbox that has Postgres, as the factories see it. */
type Owner = SandboxOwner & { readonly postgres: { readonly url: string } }

const component = 'factory'

/** In which sandbox's transaction a flow inserts. */
function transactionUnderWay(): AsyncLocalStorage<SandboxFactory> {
  return openOncePerWorker('factory: transaction under way', () => new AsyncLocalStorage<SandboxFactory>())
}

/** Rows that are in the database, whichever copy of this module inserted them. */
function insertedRows(): WeakMap<object, InsertedRow> {
  return openOncePerWorker('factory: inserted rows', () => new WeakMap<object, InsertedRow>())
}

/** Remembers that `row` is in the database. */
export function markInserted(row: object, inserted: InsertedRow): void {
  insertedRows().set(row, inserted)
}

/** What `row` is, if a factory inserted it. */
export const findInserted: FindInserted = (row) => insertedRows().get(row)

/** What factories have in one sandbox: a connection, what the database holds, and how far has been counted. */
export class SandboxFactory implements SandboxPart {
  /** Of sequences and rows; one nested in another sandbox goes on from where that one stands. */
  readonly counters: Counters
  readonly #owner: Owner
  #connection: Promise<FactoryConnection> | undefined
  /** Resolves when all that was asked for has ended. */
  #turn: Promise<void> = Promise.resolve()

  constructor(owner: SandboxOwner) {
    this.#owner = owner as Owner
    const { around } = owner
    this.counters = new Counters(around && SandboxFactory.of(around).counters)
  }

  /** That of this flow's sandbox. Throws `NO_SANDBOX` where there is none. */
  static current(): SandboxFactory {
    const owner = findOwner()
    if (owner === undefined) throw noSandbox()
    return SandboxFactory.of(owner)
  }

  static of(owner: SandboxOwner): SandboxFactory {
    return owner.part(component, (of) => new SandboxFactory(of))
  }

  /** What the sandbox's database holds: read once in a worker. */
  async catalogue(): Promise<Catalogue> {
    const { host } = new URL(this.#owner.postgres.url)
    return openOncePerWorker(`factory: catalogue of ${host}`, () => this.#readCatalogue())
  }

  /** The table of that name. Rejects with `FACTORY_TABLE_UNKNOWN`. */
  async table(name: string): Promise<Table> {
    return tableNamed(await this.catalogue(), name)
  }

  /** Inserts rows and all that they need, in one transaction. Resolves to them as the database holds them, in order. */
  async insert(requests: readonly RowRequest[], options: InsertOptions = {}): Promise<Row[]> {
    if (requests.length === 0) return []
    this.#owner.assertOpen('insert')
    const plans = await this.plan(requests, options)
    const inserted = await this.insertPlans(plans)
    return plans.map((plan) => inserted.get(plan) ?? {})
  }

  /** Inserts planned rows and all that they need, in one transaction; all of these rows, as the database holds them. */
  async insertPlans(plans: readonly RowPlan[]): Promise<ReadonlyMap<RowPlan, Row>> {
    this.#owner.assertOpen('insert')
    const connection = await this.#connected()
    const isOpen = transactionUnderWay().getStore() === this
    const insert = (): ReturnType<typeof insertPlans> => insertPlans(connection, plans, { isOpen })
    const inserted = await (isOpen ? insert() : this.#inTurn(insert))
    return new Map([...inserted].map(([plan, fields]) => [plan, toRow(plan.table, fields)]))
  }

  /** Runs `work` as one transaction: what it inserts stands or falls together. Others that insert meanwhile wait. */
  async transaction<T>(work: () => Promise<T>): Promise<T> {
    const underWay = transactionUnderWay()
    if (underWay.getStore() === this) return work()
    return this.#inTurn(async () => {
      const connection = await this.#connected()
      await connection.run([{ text: 'BEGIN', params: [] }])
      try {
        const result = await underWay.run(this, work)
        await connection.run([{ text: 'COMMIT', params: [] }])
        return result
      } catch (error) {
        await connection.run([{ text: 'ROLLBACK', params: [] }]).catch(() => undefined)
        throw error
      }
    })
  }

  /** One after the other: what several statements do is not to be mixed on the one connection. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const running = this.#turn.then(work)
    this.#turn = running.then(
      () => undefined,
      () => undefined,
    )
    return running
  }

  /** The rows that an insert would make, and their parents, with nothing inserted. */
  async plan(
    requests: readonly RowRequest[],
    { requestParent = plainRequest }: InsertOptions = {},
  ): Promise<RowPlan[]> {
    const catalogue = await this.catalogue()
    return planRows(requests, {
      catalogue,
      requestParent,
      numbers: { next: (key) => this.counters.next(key), taken: () => undefined },
    })
  }

  async #readCatalogue(): Promise<Catalogue> {
    const connection = await this.#connected()
    return readCatalogue({
      serverVersion: connection.serverVersion,
      readText: async (text) => {
        const [rows] = await connection.run([{ text, params: [] }])
        return rows?.[0]?.[0] ?? null
      },
    })
  }

  /** Gives the connection up: nothing of it is left open, and the gateway knows that its database has ended. */
  async end(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined)
    connection?.close()
  }

  #connected(): Promise<FactoryConnection> {
    return (this.#connection ??= openFactoryConnection(this.#owner.postgres.url))
  }
}

function toRow({ columns }: Table, fields: TextRow): Row {
  return Object.fromEntries(
    columns.map(({ name, type }, index) => {
      const text = fields[index]
      return [name, text === null || text === undefined ? null : readValue(type, text)]
    }),
  )
}

function noSandbox(): VivariumError {
  return new VivariumError('NO_SANDBOX', {
    what: 'A factory was used where no sandbox is open.',
    remedy:
      "In Vitest, add the plugin (`plugins: [vivarium()]` from 'vivarium/vitest') and use factories inside a test or a hook, " +
      'not while the file loads. Elsewhere, open one: `await vivarium.openSandbox()`.',
  })
}
