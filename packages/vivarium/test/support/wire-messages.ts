/**
 * Builders of every frontend message of protocol 3.0, written from the protocol's documentation
 * (section "Message Formats") and from nothing in `src/`: they are the independent side of the tests.
 */

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function cstring(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'utf8')
}

/** A message with any type byte and any body; the length is right. */
export function rawMessage(type: string, ...body: readonly Buffer[]): Buffer {
  const content = Buffer.concat(body)
  return Buffer.concat([Buffer.from(type, 'latin1'), int32(content.length + 4), content])
}

/** A message whose length field says what the test wants it to say. */
export function lyingMessage(type: string, statedLength: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(type, 'latin1'), int32(statedLength), body])
}

function untyped(...body: readonly Buffer[]): Buffer {
  const content = Buffer.concat(body)
  return Buffer.concat([int32(content.length + 4), content])
}

export function query(text: string): Buffer {
  return rawMessage('Q', cstring(text))
}

/** Parse. `types` are parameter type OIDs, 0 = unspecified. */
export function parse(text: string, name = '', types: readonly number[] = []): Buffer {
  return rawMessage('P', cstring(name), cstring(text), int16(types.length), ...types.map(int32))
}

export interface BindOptions {
  readonly portal?: string
  readonly statement?: string
  /** Parameter values: strings are sent as their UTF-8 bytes, `null` as SQL NULL. */
  readonly values?: readonly (string | Buffer | null)[]
  /** Parameter format codes: none, one for all, or one each. */
  readonly formats?: readonly (0 | 1)[]
  readonly resultFormats?: readonly (0 | 1)[]
}

export function bind(options: BindOptions = {}): Buffer {
  const values = options.values ?? []
  const formats = options.formats ?? []
  const resultFormats = options.resultFormats ?? []
  const encoded = values.map((value) => {
    if (value === null) return int32(-1)
    const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value
    return Buffer.concat([int32(bytes.length), bytes])
  })
  return rawMessage(
    'B',
    cstring(options.portal ?? ''),
    cstring(options.statement ?? ''),
    int16(formats.length),
    ...formats.map(int16),
    int16(values.length),
    ...encoded,
    int16(resultFormats.length),
    ...resultFormats.map(int16),
  )
}

export function describeStatement(name = ''): Buffer {
  return rawMessage('D', Buffer.from('S'), cstring(name))
}

export function describePortal(name = ''): Buffer {
  return rawMessage('D', Buffer.from('P'), cstring(name))
}

/** Execute. `rowLimit` 0 = all rows. */
export function execute(portal = '', rowLimit = 0): Buffer {
  return rawMessage('E', cstring(portal), int32(rowLimit))
}

export function closeStatement(name = ''): Buffer {
  return rawMessage('C', Buffer.from('S'), cstring(name))
}

export function closePortal(name = ''): Buffer {
  return rawMessage('C', Buffer.from('P'), cstring(name))
}

export function flush(): Buffer {
  return rawMessage('H')
}

export function sync(): Buffer {
  return rawMessage('S')
}

export function terminate(): Buffer {
  return rawMessage('X')
}

export function copyData(data: string | Buffer): Buffer {
  return rawMessage('d', typeof data === 'string' ? Buffer.from(data, 'utf8') : data)
}

export function copyDone(): Buffer {
  return rawMessage('c')
}

export function copyFail(reason: string): Buffer {
  return rawMessage('f', cstring(reason))
}

/** FunctionCall with text arguments and a text result. */
export function functionCall(functionOid: number, values: readonly (string | null)[] = []): Buffer {
  const encoded = values.map((value) => {
    if (value === null) return int32(-1)
    const bytes = Buffer.from(value, 'utf8')
    return Buffer.concat([int32(bytes.length), bytes])
  })
  return rawMessage('F', int32(functionOid), int16(0), int16(values.length), ...encoded, int16(0))
}

export function passwordMessage(password: string): Buffer {
  return rawMessage('p', cstring(password))
}

export function saslInitialResponse(mechanism: string, data: string): Buffer {
  return rawMessage('p', cstring(mechanism), int32(Buffer.byteLength(data)), Buffer.from(data))
}

export function saslResponse(data: string): Buffer {
  return rawMessage('p', Buffer.from(data))
}

/** StartupMessage of protocol 3.0 (or of the version given) with any parameters. */
export function startup(parameters: Readonly<Record<string, string>>, version = 196_608): Buffer {
  const pairs = Object.entries(parameters).flatMap(([name, value]) => [cstring(name), cstring(value)])
  return untyped(int32(version), ...pairs, Buffer.from([0]))
}

export function cancelRequest(processId: number, secret: Buffer): Buffer {
  return untyped(int32(80_877_102), int32(processId), secret)
}

export function sslRequest(): Buffer {
  return untyped(int32(80_877_103))
}

export function gssencRequest(): Buffer {
  return untyped(int32(80_877_104))
}

/** Parse, Bind, Describe portal, Execute of one statement on the unnamed ones; no Sync. */
export function run(text: string, values: readonly (string | null)[] = []): Buffer {
  return Buffer.concat([parse(text), bind({ values }), describePortal(), execute()])
}

/** Bind, Execute of a named statement through the unnamed portal; no Sync. */
export function runNamed(statement: string, values: readonly (string | null)[] = []): Buffer {
  return Buffer.concat([bind({ statement, values }), execute()])
}

/** How many ReadyForQuery messages a server owes for these bytes, if none is skipped. */
export function countReadyForQuery(bytes: Buffer): number {
  let count = 0
  for (let at = 0; at + 5 <= bytes.length; at += 1 + bytes.readInt32BE(at + 1)) {
    const type = String.fromCharCode(bytes[at] ?? 0)
    if (type === 'Q' || type === 'S' || type === 'F') count += 1
  }
  return count
}
