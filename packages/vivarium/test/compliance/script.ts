/**
 * What an application does with its database, step by step: the same steps for every client, in every isolation. A client's
 * folder carries them out with that client's own API and returns what the application saw; here stands what it must see.
 */

/** One step of the script. */
export interface Step<T> {
  /** The row of the table. */
  readonly title: string
  /** What must be observable, in words. */
  readonly observable: string
  /** What the application must see. */
  readonly expected: T
  /** What an independent connection must find in `products` afterwards. Left out: what the migrations put there. */
  readonly leaves?: readonly string[]
  /** What isolation `'transaction'` does otherwise. */
  readonly inTransaction?: InTransaction<T>
}

interface InTransaction<T> {
  /** Why it cannot be had: this becomes the table's “no”. */
  readonly no?: string
  /** What the application sees there; `'not run'` where there is nothing to see. */
  readonly expected?: T | 'not run'
  /** Kinds of the fidelity warnings that say so, sorted. */
  readonly warnings?: readonly string[]
  /** What the warnings mean for the application; it stands beside the table's “yes”. */
  readonly because?: string
}

const initial = ['apples', 'bread', 'cheese']

function step<T>(definition: Step<T>): Step<T> {
  return definition
}

/** The steps, in the order in which they run and stand in the table. */
export const script = {
  crud: step({
    title: 'create, read, update, delete',
    observable: 'the new id, the row, the numbers of changed and deleted rows, and what is left',
    expected: {
      created: 4,
      read: { id: 4, sku: 'pears', title: 'Pears', stock: 3 },
      updated: 2,
      deleted: 1,
      listed: ['apples', 'cheese', 'pears'],
    },
    leaves: ['apples', 'cheese', 'pears'],
  }),
  commit: step({
    title: 'a transaction that commits',
    observable: 'its rows are there inside it, and on another connection after it',
    expected: { inside: 4, outside: 4 },
    leaves: [...initial, 'pears'],
  }),
  rollback: step({
    title: 'a transaction that rolls back',
    observable: 'the application’s own error comes through, and nothing is left of its rows',
    expected: { inside: 4, error: 'changed my mind', outside: 3 },
  }),
  nested: step({
    title: 'a nested transaction',
    observable: 'the inner one fails and goes alone; the outer one commits what came before and after it',
    expected: { caught: '23505', after: 5 },
    leaves: [...initial, 'figs', 'pears'],
  }),
  caughtOutside: step({
    title: 'a caught unique violation, then more work',
    observable: 'the next statements work, on the same connection and on another',
    expected: { caught: '23505', counted: 4 },
    leaves: [...initial, 'pears'],
  }),
  caughtInside: step({
    title: 'a caught unique violation inside a transaction',
    observable:
      'the transaction refuses everything (25P02) until it is rolled back; then work goes on without its rows',
    expected: { caught: '23505', refused: '25P02', counted: 4 },
    leaves: [...initial, 'figs'],
  }),
  bulkInsert: step({
    title: 'a bulk insert of 500 rows',
    observable: 'the number of rows inserted and found',
    expected: { inserted: 500, counted: 503 },
    leaves: [...initial, 'crate × 500'],
  }),
  cursor: step({
    title: 'a cursor or stream',
    observable: 'all rows arrive piece by piece, and the connection works afterwards',
    expected: { rows: 25, sum: 325, afterwards: 3 },
  }),
  namedStatements: step({
    title: 'a named prepared statement',
    observable: 'one statement of one name, run with three sets of parameters',
    expected: { found: ['Apples', 'Bread', 'Apples'] },
  }),
  pipelining: step({
    title: 'statements pipelined on one connection',
    observable: 'the second of three inserts fails, the others stand, and the order is kept',
    expected: { outcomes: ['inserted', '23505', 'inserted'] },
    leaves: [...initial, 'figs', 'pears'],
  }),
  parallel: step({
    title: '20 queries in parallel on a pool of five',
    observable: 'each gets its own answer, and all twenty rows are there',
    expected: { answered: Array.from({ length: 20 }, (_, index) => index + 1), counted: 23 },
    leaves: [...initial, 'parallel × 20'],
  }),
  reconnect: step({
    title: 'reconnecting after the server ended the connection',
    observable: 'the statement fails, and the application’s next one works, on a new connection',
    expected: { failed: true, next: 3 },
  }),
  types: step({
    title: 'types there and back',
    observable: 'timestamptz, jsonb, bytea, numeric, text[], bigint and uuid come back as they went',
    expected: {
      at: '2024-02-29T12:34:56.789Z',
      doc: { deep: [1, null, 'ü “quoted”'], empty: {} },
      body: '00ff5c27de',
      amount: '12345678901234567890.0123456789',
      tags: ['plain', 'with "quotes", commas', ''],
      big: '9007199254740993',
      token: '0f0e0d0c-0b0a-4909-8807-060504030201',
    },
  }),
  notifications: step({
    title: 'LISTEN and NOTIFY',
    observable: 'a listening connection receives what another one sends',
    expected: { received: ['market: open'] },
    inTransaction: {
      no: 'Postgres delivers notifications at COMMIT, and nothing commits in a transaction that is rolled back',
      expected: { received: [] as string[] },
      warnings: ['listen-delivery'],
    },
  }),
  copy: step({
    title: 'COPY in and out',
    observable: 'the rows copied in, read by copying out',
    expected: { copied: ['apples,5', 'bread,2', 'cheese,0', 'figs,8', 'pears,9'] },
    leaves: [...initial, 'figs', 'pears'],
  }),
  twoTransactions: step({
    title: 'two transactions at once (`Promise.all`)',
    observable: 'both commit',
    expected: { committed: 2, counted: 5 },
    leaves: [...initial, 'figs', 'pears'],
  }),
  nestedConnection: step({
    title: 'a transaction that awaits a query on another connection',
    observable: 'the query is answered, the transaction commits',
    expected: { answered: 'Bread', counted: 4 },
    leaves: [...initial, 'pears'],
    inTransaction: {
      warnings: ['nested-connection'],
      because: 'the query runs inside the waiting transaction and sees what that has not committed yet',
    },
  }),
  serializable: step({
    title: 'a transaction that asks for SERIALIZABLE',
    observable: 'it reads its level as serializable, and commits',
    expected: { level: 'serializable', counted: 4 },
    leaves: [...initial, 'pears'],
    inTransaction: {
      warnings: ['transaction-isolation'],
      because: 'the level is shown and not given, since all of the sandbox is one READ COMMITTED transaction',
    },
  }),
  writeSkew: step({
    title: 'two SERIALIZABLE transactions that exclude each other',
    observable: 'one commits, the other fails with 40001',
    expected: { outcomes: ['40001', 'committed'], onCall: 1 },
    inTransaction: {
      no: 'All connections share one session, and one session cannot conflict with itself',
      expected: 'not run',
    },
  }),
  statementTimeout: step({
    title: 'a statement time-out',
    observable: 'the slow statement fails with 57014; the setting ends with its transaction; work goes on',
    expected: { caught: '57014', afterwards: '0', counted: 3 },
  }),
  cancel: step({
    title: 'cancelling a running statement',
    observable: 'it fails with 57014, and the connections work on',
    expected: { caught: '57014', counted: 3 },
  }),
  errorFields: step({
    title: 'the fields of an error',
    observable: 'code, constraint, table and detail of a violation; code and position of a mistake in the text',
    expected: {
      violation: {
        code: '23505',
        constraint: 'products_sku_key',
        table: 'products',
        detail: 'Key (sku)=(apples) already exists.',
      },
      mistake: { code: '42703', position: '8' },
    },
  }),
  acrossSandboxes: step({
    title: 'one pool and its prepared statements, in one sandbox after another',
    observable: 'the statement goes on working; the rows and ids of the sandbox before are gone',
    expected: { before: ['Apples', 'id 4'], after: ['Apples', 'id 4'], counted: 4 },
    leaves: [...initial, 'pears'],
  }),
  roles: step({
    title: 'SET LOCAL ROLE and row-level security',
    observable: 'the role sees its own rows until its transaction ends; the owner sees all before and after',
    expected: { before: 2, inside: ['its own'], insideAsRole: true, after: 2, afterAsRole: false },
  }),
}

/** The name of a step. */
export type StepName = keyof typeof script

/** What the application sees in a step. */
export type ResultOf<K extends StepName> = (typeof script)[K]['expected']

/** The names of all steps, in order. */
export const stepNames = Object.keys(script) as StepName[]

/** Values of the step `types`, as JavaScript has them. */
export const sample = {
  at: new Date(script.types.expected.at),
  doc: script.types.expected.doc,
  body: Buffer.from(script.types.expected.body, 'hex'),
  amount: script.types.expected.amount,
  tags: script.types.expected.tags,
  big: BigInt(script.types.expected.big),
  token: script.types.expected.token,
}

/** Rows of the step `bulkInsert`. */
export const crates = Array.from({ length: 500 }, (_, index) => ({
  sku: `crate-${index + 1}`,
  title: `Crate ${index + 1}`,
  stock: index,
}))

/** What is thrown in the step `rollback`. */
export class ChangedMyMind extends Error {
  constructor() {
    super(script.rollback.expected.error)
  }
}

interface SeenDocument {
  readonly body: string
  readonly user: string
}

/** The result of the step `roles`, from the documents that were seen, each with who saw it. */
export function seenByRole(
  role: string,
  { before, inside, after }: Readonly<Record<'before' | 'inside' | 'after', readonly SeenDocument[]>>,
): ResultOf<'roles'> {
  return {
    before: before.length,
    inside: inside.map(({ body }) => body),
    insideAsRole: inside[0]?.user === role,
    after: after.length,
    afterAsRole: after[0]?.user === role,
  }
}
