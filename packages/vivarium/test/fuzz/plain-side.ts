import {
  bind,
  closeStatement,
  connect,
  errorOf,
  execute,
  parse,
  query,
  rowsOf,
  sync,
  type WireConnection,
  WireError,
  type WireTarget,
} from '../support/wire.ts'

/** Everything a script may have changed and that lasts, as rows of text. For use outside a transaction. */
export const lookText: string = `select * from (${[
  ...['parents', 'children', 'nodes', 'slots', 'items', 'audited', 'audit_log'].map(
    (table) => `select '${table}' as what, t::text as value from public.${table} t`,
  ),
  ...['tickets', 'items_id_seq', 'audit_log_id_seq'].map(
    (name) => `select '${name}', last_value || ' ' || is_called from public.${name}`,
  ),
  `select 'relation', relname::text from pg_class where relname like 'made%'`,
].join(' union all ')}) as everything order by what, value collate "C"`

/** Makes the database again what the migrations made of it: cheaper than a new one, and rows keep their order. */
const resetText = `
  drop table if exists made1, made2, made3, made4, other.made1, other.made2, other.made3, other.made4;
  delete from audit_log; delete from audited; delete from children; delete from parents; delete from nodes;
  delete from slots; delete from items;
  insert into items (id, name, qty, price, tags, data) values
    (1, 'apple', 5, 1.20, '{fruit,red}', '{"origin": "here"}'), (2, 'bread', 2, 3.50, null, null),
    (3, 'cheese', 0, 12.00, '{}', '[1, 2, 3]');
  insert into parents values (1, 'one'), (2, 'two');
  insert into children values (10, 1, 'ten');
  insert into slots values (1, 1), (2, 2), (3, 3);
  select setval('items_id_seq', 3), setval('audit_log_id_seq', 1, false), setval('tickets', 100, false)`

/** A plain database with real connections, used again by every script. */
export class PlainSide {
  readonly #target: WireTarget
  readonly #admin: WireConnection
  /** Connections as good as new. */
  readonly #pristine: WireConnection[] = []

  private constructor(target: WireTarget, admin: WireConnection) {
    this.#target = target
    this.#admin = admin
  }

  static async open(target: WireTarget): Promise<PlainSide> {
    const admin = await connect(target)
    await mustRun(admin, 'set client_min_messages = error')
    return new PlainSide(target, admin)
  }

  async take(): Promise<WireConnection> {
    return this.#pristine.pop() ?? (await connect(this.#target))
  }

  /** A connection that is idle. */
  async giveBack(wire: WireConnection): Promise<void> {
    await mustRun(wire, 'discard all')
    wire.take()
    this.#pristine.push(wire)
  }

  /** Ends connections in any state, and waits until the server has undone what they had open. */
  async discard(wires: readonly WireConnection[]): Promise<void> {
    for (const wire of wires) {
      if (wire.isClosed) continue
      await mustRun(this.#admin, `select pg_terminate_backend(${wire.processId}, 5000)`)
      wire.socket.destroy()
    }
  }

  /** Another sandbox begins: what does not outlive one goes. */
  async forgetSession(wire: WireConnection): Promise<void> {
    // A simple Query would take the unnamed statement away.
    const name = 'fuzz_forget'
    for (const text of ['close all', 'discard sequences', 'discard temp']) {
      wire.send(parse(text, name), bind({ portal: name, statement: name }), execute(name), closeStatement(name), sync())
      await mustSucceed(wire, text)
    }
  }

  async look(): Promise<(string | null)[][]> {
    return rowsOf(await mustRun(this.#admin, lookText))
  }

  async reset(): Promise<void> {
    await mustRun(this.#admin, resetText)
  }

  async close(): Promise<void> {
    for (const wire of this.#pristine) await wire.end()
    await this.#admin.end()
  }
}

async function mustRun(wire: WireConnection, text: string): ReturnType<WireConnection['until']> {
  wire.send(query(text))
  return await mustSucceed(wire, text)
}

async function mustSucceed(wire: WireConnection, text: string): ReturnType<WireConnection['until']> {
  const answers = await wire.until('Z')
  if (errorOf(answers) !== undefined) throw new WireError(`failed: ${text.slice(0, 80)}`, answers)
  return answers
}
