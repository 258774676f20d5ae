import { AsyncLocalStorage } from 'node:async_hooks'
import { VivariumError } from '../../core/errors.ts'
import { findOwner } from '../../core/owner.ts'
import type { SandboxOwner, SandboxPart } from '../../core/owner.ts'
import { openOncePerWorker } from '../../core/registry.ts'
import { PostgresServerError } from '../../postgres/connection/server-error.ts'
import type { Catalogue, Table, UniqueKey } from '../catalogue/catalogue.ts'
import { findTable, tableNamed } from '../catalogue/find-table.ts'
import { readCatalogue } from '../catalogue/read-catalogue.ts'
import type { FindInserted, InsertedRow } from '../plan/attributes.ts'
import { drawAgain } from '../plan/complete-values.ts'
import type { Numbers } from '../plan/complete-values.ts'
import { planRows } from '../plan/plan-rows.ts'
import type { RowPlan } from '../plan/row-plan.ts'
import { plainRequest } from '../plan/row-request.ts'
import type { RequestParent, RowRequest } from '../plan/row-request.ts'
import { readValue } from '../values/read-value.ts'
import { CatalogueChanges } from './catalogue-changes.ts'
import { Counters } from './counters.ts'
import { openFactoryConnection } from './factory-connection.ts'
import type { FactoryConnection, TextRow } from './factory-connection.ts'
import { insertPlans } from './insert-plans.ts'
import { KnownKeys } from './taken-keys.ts'

/** A row by the database's own names. */
export type Row = Record<string, unknown>

/** Options of {@link SandboxFactory.plan}. */
export interface PlanOptions {
  /** What is asked for where a row needs a parent of which nothing was said. @default nothing more */
  readonly requestParent?: RequestParent
}

/** What is asked for, from what the database holds. */
export type MakeRequests = (catalogue: Catalogue) => readonly RowRequest[]

/** A sandbox that has Postgres, as the factories see it. */
type Owner = SandboxOwner & { readonly postgres: { readonly url: string } }

const component = 'factory'

/** A table, a column or a statement's types are not what they were: DDL ran that nobody told of. */
const changedCodes: ReadonlySet<string> = new Set(['42P01', '42703', '42704', '0A000', '42804'])
/** How often rows are given other values for keys that are taken. */
const mostTries = 5

/** Read once in a worker, from the first sandbox that asks: as long as none has changed anything, all hold the same. */
function sharedCatalogue({ postgres }: Owner, read: () => Promise<Catalogue>): Promise<Catalogue> {
  const { host } = new URL(postgres.url)
  const shared = openOncePerWorker(`factory: catalogue of ${host}`, (): { catalogue?: Promise<Catalogue> } => ({}))
  if (shared.catalogue === undefined) {
    const reading = read()
    shared.catalogue = reading
    // A sandbox that closes while it reads must not leave its failure behind.
    reading.catch(() => {
      if (shared.catalogue === reading) delete shared.catalogue
    })
  }
  return shared.catalogue
}

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
  readonly #changes: CatalogueChanges
  readonly #keys = new KnownKeys()
  /** Its counters, with what is known to be taken. */
  readonly numbers: Numbers = {
    next: (key) => this.counters.next(key),
    taken: (table: Table, key: UniqueKey) => this.#keys.taken(table, key),
  }
  #connection: Promise<FactoryConnection> | undefined
  /** Read for this sandbox alone, when so much had changed. */
  #own: { readonly age: number; readonly catalogue: Promise<Catalogue> } | undefined
  /** Resolves when all that was asked for has ended. */
  #turn: Promise<void> = Promise.resolve()

  constructor(owner: SandboxOwner) {
    this.#owner = owner as Owner
    const around = owner.around === undefined ? undefined : SandboxFactory.of(owner.around)
    this.counters = new Counters(around?.counters)
    this.#changes = new CatalogueChanges(owner, around === undefined ? undefined : around.#changes)
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

  /** What the sandbox's database holds: read once in a worker, and again in a sandbox that has changed it. */
  catalogue(): Promise<Catalogue> {
    const age = this.#changes.count
    const own = this.#own
    if (own?.age === age) return own.catalogue
    if (age === 0) return sharedCatalogue(this.#owner, () => this.#readCatalogue())
    return this.#readAgain()
  }

  /** The table of that name. Rejects with `FACTORY_TABLE_UNKNOWN`. */
  async table(name: string): Promise<Table> {
    const found = findTable(await this.catalogue(), name)
    // A function may have made it, which no statement tells.
    return found ?? tableNamed(await this.#readAgain(), name)
  }

  /** Inserts rows and all that they need. Resolves to them as the database holds them, in order. */
  async insert(makeRequests: MakeRequests, options: PlanOptions = {}): Promise<InsertedRow[]> {
    const attempt = async (): Promise<InsertedRow[]> => {
      const plans = await this.plan(makeRequests(await this.catalogue()), options)
      const inserted = await this.#insertTexts(plans)
      return plans.map((plan) => ({ table: plan.table, values: toRow(plan.table, inserted.get(plan) ?? []) }))
    }
    try {
      return await attempt()
    } catch (error) {
      if (!changedCodes.has(serverError(error)?.code ?? '')) throw error
      await this.#readAgain()
      return attempt()
    }
  }

  /** The rows that an insert would make, and their parents, with nothing inserted. */
  async plan(requests: readonly RowRequest[], { requestParent = plainRequest }: PlanOptions = {}): Promise<RowPlan[]> {
    return planRows(requests, { catalogue: await this.catalogue(), requestParent, numbers: this.numbers })
  }

  /** Inserts planned rows and all that they need, in one transaction; all of these rows, as the database holds them. */
  async insertPlans(plans: readonly RowPlan[]): Promise<ReadonlyMap<RowPlan, Row>> {
    const inserted = await this.#insertTexts(plans)
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

  /** Gives the connection up: nothing of it is left open, and the gateway knows that its database has ended. */
  async end(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined)
    connection?.close()
  }

  async #insertTexts(plans: readonly RowPlan[]): ReturnType<typeof insertPlans> {
    this.#owner.assertOpen('insert')
    const connection = await this.#connected()
    const isOpen = transactionUnderWay().getStore() === this
    const insert = (): ReturnType<typeof insertPlans> => this.#insertAnew(connection, plans, isOpen)
    return isOpen ? insert() : this.#inTurn(insert)
  }

  /** Where a value that was made is taken already, the row is given another one. */
  async #insertAnew(
    connection: FactoryConnection,
    plans: readonly RowPlan[],
    isOpen: boolean,
  ): ReturnType<typeof insertPlans> {
    for (let tries = 1; ; tries++) {
      // A failure must not end a transaction that is not ours.
      if (isOpen) await connection.run([{ text: 'SAVEPOINT factory', params: [] }])
      try {
        return await insertPlans(connection, plans, { isOpen })
      } catch (error) {
        const server = serverError(error)
        if (server === undefined || tries === mostTries) throw error
        if (isOpen) await connection.run([{ text: 'ROLLBACK TO SAVEPOINT factory', params: [] }])
        const refused = await this.#keys.learn(server, plans, connection)
        if (refused.length === 0) throw error
        for (const row of refused) drawAgain(row, this.numbers)
      }
    }
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

  #readAgain(): Promise<Catalogue> {
    const catalogue = this.#readCatalogue()
    this.#own = { age: this.#changes.count, catalogue }
    return catalogue
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

  #connected(): Promise<FactoryConnection> {
    return (this.#connection ??= openFactoryConnection(this.#owner.postgres.url))
  }
}

function serverError(error: unknown): PostgresServerError | undefined {
  return error instanceof VivariumError && error.cause instanceof PostgresServerError ? error.cause : undefined
}

function toRow({ columns }: Table, fields: TextRow): Row {
  const row: Row = {}
  columns.forEach(({ name, type }, index) => {
    const text = fields[index]
    row[name] = text === null || text === undefined ? null : readValue(type, text)
  })
  return row
}

function noSandbox(): VivariumError {
  return new VivariumError('NO_SANDBOX', {
    what: 'A factory was used where no sandbox is open.',
    remedy:
      "In Vitest, add the plugin (`plugins: [vivarium()]` from 'vivarium/vitest') and use factories inside a test or a hook, " +
      'not while the file loads. Elsewhere, open one: `await vivarium.openSandbox()`.',
  })
}
