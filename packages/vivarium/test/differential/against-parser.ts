import { parseSync } from 'libpg-query'
import { classify } from '../../src/postgres/sql/classify.ts'
import type { Statement } from '../../src/postgres/sql/classify.ts'
import { tokenize } from '../../src/postgres/sql/lexer.ts'
import { splitStatements } from '../../src/postgres/sql/split.ts'

/*
 * libpg-query is PostgreSQL 18's own scanner and parser: what it makes of a text is what the server would. Whoever
 * imports this file loads its module first.
 */

// oxlint-disable-next-line typescript/no-explicit-any -- the parser's tree has hundreds of node types
type Node = Record<string, any>

/** Whether the server's parser takes the text. */
export function parses(text: string): boolean {
  if (text.trim() === '') return true
  try {
    parseSync(text)
    return true
  } catch {
    return false
  }
}

/** A command that the gateway carries out itself. */
export function isTransactionKind(kind: string): boolean {
  return /^(begin|commit|rollback|savepoint|release|rollbackTo|.*Prepared|prepareTransaction|setTransaction|setSession.*)$/.test(
    kind,
  )
}

/** Statements that the server refuses and we take for a transaction command. */
export function brokenCommands(text: string): string[] {
  return splitStatements(text)
    .map(({ start, end }) => text.slice(start, end))
    .filter((statement) => !parses(statement) && classify(statement).some(({ kind }) => isTransactionKind(kind)))
}

/** What we make of a text. */
export function ours(text: string): unknown[] {
  return classify(text).map((statement) => ({ start: statement.span.start, ...comparable(statement) }))
}

function comparable(statement: Statement): Node {
  const { kind } = statement
  switch (kind) {
    case 'begin':
    case 'setTransaction':
    case 'setSessionCharacteristics': {
      const { isolation, readOnly, deferrable } = statement
      const tag = kind === 'begin' ? statement.tag : undefined
      return {
        kind,
        tag,
        isolation,
        readOnly,
        deferrable,
        snapshot: kind === 'setTransaction' && statement.snapshot === true,
      }
    }
    case 'set': {
      const { name, local, isDefault, fromCurrent = false, replay } = statement
      const replayed = parseSync(replay).stmts?.[0]?.stmt as Node
      const scopeless = name === 'role' && replayed['VariableSetStmt'].args?.[0].A_Const.sval?.sval === 'none'
      return {
        kind,
        name,
        local,
        isDefault: isDefault && !scopeless,
        fromCurrent,
        value: singleText(replayed['VariableSetStmt']) === undefined ? undefined : statement.value,
        replayed: withoutLocations({ ...replayed['VariableSetStmt'], is_local: undefined }),
      }
    }
    case 'commit':
    case 'rollback':
      return { kind, chain: statement.chain }
    case 'savepoint':
    case 'release':
    case 'rollbackTo':
    case 'prepare':
    case 'execute':
    case 'deallocate':
    case 'reset':
    case 'show':
    case 'closeCursor':
      return { kind, name: statement.name }
    case 'declareCursor':
      return { kind, name: statement.name, hold: statement.hold }
    case 'discard':
      return { kind, what: statement.what }
    case 'copy':
      return { kind, direction: statement.direction }
    case 'refusesTransaction':
    case 'other':
      return { kind: 'other' }
    default:
      return { kind }
  }
}

/** What the server's parser makes of it, in the same form. */
export function theirs(text: string): unknown[] {
  const bytes = Buffer.from(text)
  // The library itself refuses an empty text.
  if (text.trim() === '') return []
  return (parseSync(text).stmts ?? []).map(({ stmt, stmt_location: location = 0 }) => {
    const before = bytes.subarray(0, location).toString().length
    // The first statement's location is 0 even when comments stand before it.
    const [first] = tokenize(text.slice(before))
    return { start: before + (first?.start ?? 0), ...nodeComparable(stmt as Node) }
  })
}

const transactionKinds: Record<string, string> = {
  TRANS_STMT_COMMIT: 'commit',
  TRANS_STMT_ROLLBACK: 'rollback',
  TRANS_STMT_SAVEPOINT: 'savepoint',
  TRANS_STMT_RELEASE: 'release',
  TRANS_STMT_ROLLBACK_TO: 'rollbackTo',
  TRANS_STMT_PREPARE: 'prepareTransaction',
  TRANS_STMT_COMMIT_PREPARED: 'commitPrepared',
  TRANS_STMT_ROLLBACK_PREPARED: 'rollbackPrepared',
}

function nodeComparable(stmt: Node): Node {
  const [[type, node]] = Object.entries(stmt) as [[string, Node]]
  switch (type) {
    case 'TransactionStmt':
      return transactionComparable(node)
    case 'VariableSetStmt':
      return settingComparable(node)
    case 'VariableShowStmt':
      return { kind: 'show', name: node['name'].toLowerCase() }
    case 'ConstraintsSetStmt':
      return { kind: 'setConstraints' }
    case 'PrepareStmt':
      return { kind: 'prepare', name: node['name'] }
    case 'ExecuteStmt':
      return { kind: 'execute', name: node['name'] }
    case 'ExplainStmt':
    case 'CreateTableAsStmt': {
      const inner = nodeComparable(node['query'])
      return inner['kind'] === 'execute' ? inner : { kind: 'other' }
    }
    case 'DeallocateStmt':
      return node['isall'] ? { kind: 'deallocateAll' } : { kind: 'deallocate', name: node['name'] }
    case 'DiscardStmt':
      return { kind: 'discard', what: node['target'].slice('DISCARD_'.length).toLowerCase() }
    case 'DeclareCursorStmt':
      // CURSOR_OPT_HOLD of parsenodes.h
      return { kind: 'declareCursor', name: node['portalname'], hold: (node['options'] & 0x20) !== 0 }
    case 'ClosePortalStmt':
      return { kind: 'closeCursor', name: node['portalname'] }
    case 'LockStmt':
      return { kind: 'lockTable' }
    case 'ListenStmt':
      return { kind: 'listen' }
    case 'UnlistenStmt':
      return { kind: 'unlisten' }
    case 'NotifyStmt':
      return { kind: 'notify' }
    case 'CopyStmt':
      return { kind: 'copy', direction: node['filename'] ? 'other' : node['is_from'] ? 'in' : 'out' }
    default:
      return { kind: 'other' }
  }
}

function transactionComparable(node: Node): Node {
  const modes = readModes(node['options'])
  if (node['kind'] === 'TRANS_STMT_BEGIN') return { kind: 'begin', tag: 'BEGIN', ...modes, snapshot: false }
  if (node['kind'] === 'TRANS_STMT_START') return { kind: 'begin', tag: 'START TRANSACTION', ...modes, snapshot: false }
  const kind = transactionKinds[node['kind']]
  if (kind === 'commit' || kind === 'rollback') return { kind, chain: node['chain'] === true }
  return node['savepoint_name'] === undefined ? { kind } : { kind, name: node['savepoint_name'] }
}

function settingComparable(node: Node): Node {
  const name = (node['name'] ?? 'all').toLowerCase()
  switch (node['kind']) {
    case 'VAR_RESET':
    case 'VAR_RESET_ALL':
      return { kind: 'reset', name }
    case 'VAR_SET_MULTI': {
      const snapshot = node['name'] === 'TRANSACTION SNAPSHOT'
      const kind = node['name'] === 'SESSION CHARACTERISTICS' ? 'setSessionCharacteristics' : 'setTransaction'
      return { kind, tag: undefined, ...readModes(snapshot ? [] : node['args']), snapshot }
    }
    default:
      return {
        kind: 'set',
        name,
        local: node['is_local'] === true,
        isDefault: node['kind'] === 'VAR_SET_DEFAULT',
        fromCurrent: node['kind'] === 'VAR_SET_CURRENT',
        value: singleText(node),
        replayed: withoutLocations({ ...node, is_local: undefined }),
      }
  }
}

function singleText(setting: Node): string | undefined {
  const { args = [] } = setting
  return args.length === 1 ? args[0].A_Const?.sval?.sval : undefined
}

function readModes(options: Node[] = []): Node {
  const modes: Node = { isolation: undefined, readOnly: undefined, deferrable: undefined }
  for (const { DefElem: option } of options) {
    const value = option.arg.A_Const
    if (option.defname === 'transaction_isolation') modes['isolation'] = value.sval.sval
    else modes[option.defname === 'transaction_read_only' ? 'readOnly' : 'deferrable'] = value.ival.ival === 1
  }
  return modes
}

function withoutLocations(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, inner) => (key === 'location' ? undefined : inner)))
}
