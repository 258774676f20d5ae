import { encodeMessageFields } from '../protocol/server-message.ts'
import { Backend } from '../protocol/message-types.ts'
import { encodeParse } from '../protocol/frontend.ts'
import type { Statement } from '../sql/statement.ts'
import type { ClientStatement } from './client-statement.ts'
import { statementKey } from './prepared-statements.ts'
import { rewriteStatement } from './statement-texts.ts'
import type { Unit } from './unit.ts'

/** The key under which a statement prepared now would be shared. */
export function currentKey(unit: Unit, statement: ClientStatement): string {
  const searchPath = unit.planned.settings.statements.get('search_path') ?? ''
  return statementKey(statement.serverText, statement.parameterTypes, searchPath, unit.world.catalogueVersion)
}

/** Prepares the statement under a real name of ours; the caller says what is expected. */
export function sendParse(unit: Unit, statement: ClientStatement, key: string): string {
  const { name, evicted } = unit.world.prepared.add(key)
  for (const old of evicted) unit.session.closeStatement(old)
  unit.session.send(encodeParse(name, statement.serverText, statement.parameterTypes))
  return name
}

/** The real name for a client's name in SQL EXECUTE. */
export function realName(unit: Unit, name: string): string | undefined {
  const known = unit.owner.names.statements.get(name)
  return known === undefined || known.isVirtual ? undefined : prepare(unit, name, known)
}

/** The same for a statement of the protocol, where an EXECUTE means what has the name now. */
export function ensurePrepared(unit: Unit, name: string, statement: ClientStatement): string {
  if (statement.statement?.kind === 'execute') followName(unit, statement, statement.statement)
  return prepare(unit, name, statement)
}

/** What an EXECUTE names may be another one than when it was parsed. */
function followName(unit: Unit, known: ClientStatement, statement: Extract<Statement, { kind: 'execute' }>): void {
  const { statements } = unit.owner.names
  // One that names another one, or itself, the server refuses.
  if (statements.get(statement.name)?.statement?.kind === 'execute') return
  const text = rewriteStatement(known.text, statement, (name) => realName(unit, name))?.text ?? known.text
  if (text === known.serverText) return
  known.serverText = text
  known.key = undefined
  if (unit.world.unnamedStatement === known) unit.world.unnamedStatement = undefined
}

/**
 * The real name of a client's statement in this session, prepared (unseen by the client) when it is not there: the
 * client made it in an earlier sandbox, or on another session. `''` is the unnamed statement.
 */
function prepare(unit: Unit, name: string, statement: ClientStatement): string {
  const { world, session } = unit
  unit.real()
  const onError = (fields: Readonly<Record<string, string>>): Buffer => {
    unit.failed(fields)
    return encodeMessageFields(Backend.errorResponse, fields)
  }
  if (statement.sqlPrepare !== undefined) {
    const { text, name: realName } = statement.sqlPrepare
    if (!world.sqlPrepared.has(realName)) {
      session.control(text, onError)
      world.sqlPrepared.add(realName)
      session.expect({ until: 'synthetic', visible: false, onSkipped: () => world.sqlPrepared.delete(realName) })
    }
    return realName
  }
  if (name === '') {
    if (world.unnamedStatement !== statement) {
      session.send(encodeParse('', statement.serverText, statement.parameterTypes))
      const missing = (): void => {
        world.unnamedStatement = undefined
      }
      const onParseError: typeof onError = (fields) => {
        missing()
        return onError(fields)
      }
      session.expect({ until: 'parse', visible: false, onError: onParseError, onSkipped: missing })
      world.unnamedStatement = statement
    }
    return ''
  }
  const known = statement.key === undefined ? undefined : world.prepared.find(statement.key)
  if (known !== undefined) return known
  const key = currentKey(unit, statement)
  statement.key = key
  const shared = world.prepared.find(key)
  if (shared !== undefined) return shared
  const realName = sendParse(unit, statement, key)
  session.expect({
    until: 'parse',
    visible: false,
    onError: (fields) => {
      world.prepared.forget(key)
      return onError(fields)
    },
    onSkipped: () => world.prepared.forget(key),
  })
  return realName
}
