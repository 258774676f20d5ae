import {
  bind,
  closePortal,
  closeStatement,
  copyData,
  copyDone,
  copyFail,
  describePortal,
  describeStatement,
  execute,
  flush,
  functionCall,
  parse,
  query,
  sync,
  terminate,
} from '../support/wire.ts'

/** One message of a client, as a plain value that prints and shrinks well. */
export type Message =
  | { readonly kind: 'query'; readonly text: string }
  | { readonly kind: 'parse'; readonly name: string; readonly text: string }
  | {
      readonly kind: 'bind'
      readonly portal: string
      readonly statement: string
      /** As many of them are sent as the statement has parameters, unless `all` is set. */
      readonly values: readonly (string | null)[]
      readonly all?: boolean
      readonly binary?: boolean
    }
  | { readonly kind: 'describe'; readonly what: 'statement' | 'portal'; readonly name: string }
  | { readonly kind: 'execute'; readonly portal: string; readonly limit: number }
  | { readonly kind: 'close'; readonly what: 'statement' | 'portal'; readonly name: string }
  | { readonly kind: 'functionCall'; readonly oid: number; readonly values: readonly (string | null)[] }
  | { readonly kind: 'copyData'; readonly data: string }
  | { readonly kind: 'copyDone' | 'flush' | 'sync' | 'terminate' }
  | { readonly kind: 'copyFail'; readonly reason: string }

/** The kinds of message that a client may send after its login. */
export const messageKinds: readonly Message['kind'][] = [
  'query',
  'parse',
  'bind',
  'describe',
  'execute',
  'close',
  'flush',
  'sync',
  'functionCall',
  'copyData',
  'copyDone',
  'copyFail',
  'terminate',
]

/** The bytes of a message. */
export function encode(message: Message): Buffer {
  switch (message.kind) {
    case 'query':
      return query(message.text)
    case 'parse':
      return parse(message.text, message.name)
    case 'bind': {
      const { portal, statement, values, binary = false } = message
      return bind({ portal, statement, values, resultFormats: binary ? [1] : [] })
    }
    case 'describe':
      return message.what === 'statement' ? describeStatement(message.name) : describePortal(message.name)
    case 'execute':
      return execute(message.portal, message.limit)
    case 'close':
      return message.what === 'statement' ? closeStatement(message.name) : closePortal(message.name)
    case 'functionCall':
      return functionCall(message.oid, message.values)
    case 'copyData':
      return copyData(message.data)
    case 'copyDone':
      return copyDone()
    case 'copyFail':
      return copyFail(message.reason)
    case 'flush':
      return flush()
    case 'sync':
      return sync()
    case 'terminate':
      return terminate()
  }
}

/** One line for a reader. */
export function describeMessage(message: Message): string {
  switch (message.kind) {
    case 'query':
      return `Query ${quoted(message.text)}`
    case 'parse':
      return `Parse ${nameOf(message.name)} ${quoted(message.text)}`
    case 'bind': {
      const values =
        message.values.length === 0 ? '' : ` (${message.values.map((value) => value ?? 'null').join(', ')})`
      const format = message.binary === true ? ', results in binary' : ''
      return `Bind ${nameOf(message.portal)} to ${nameOf(message.statement)}${values}${format}`
    }
    case 'describe':
      return `Describe ${message.what} ${nameOf(message.name)}`
    case 'execute':
      return `Execute ${nameOf(message.portal)}${message.limit === 0 ? '' : `, at most ${message.limit} rows`}`
    case 'close':
      return `Close ${message.what} ${nameOf(message.name)}`
    case 'functionCall':
      return `FunctionCall ${message.oid} (${message.values.join(', ')})`
    case 'copyData':
      return `CopyData ${JSON.stringify(message.data)}`
    case 'copyFail':
      return `CopyFail ${JSON.stringify(message.reason)}`
    case 'copyDone':
      return 'CopyDone'
    case 'flush':
      return 'Flush'
    case 'sync':
      return 'Sync'
    case 'terminate':
      return 'Terminate'
  }
}

function nameOf(name: string): string {
  return name === '' ? '(unnamed)' : name
}

function quoted(text: string): string {
  return `\`${text}\``
}

/** How many parameters a statement's text mentions. */
export function parameterCount(text: string): number {
  return Math.max(0, ...[...text.matchAll(/\$(\d)/g)].map(([, number]) => Number(number)))
}
