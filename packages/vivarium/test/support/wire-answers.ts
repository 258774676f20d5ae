/**
 * A parser of every backend message of protocol 3.0 into plain objects. Written from the protocol's documentation,
 * independent of `src/`.
 */

export type FieldValue = string | number | null | readonly FieldValue[] | { readonly [name: string]: FieldValue }

/** One message of the server: its name, its type byte and its decoded fields. */
export interface Answer {
  readonly type: string
  readonly code: string
  readonly fields: Readonly<Record<string, FieldValue>>
}

class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length
  }

  int8(): number {
    return this.take(1).readUInt8()
  }

  int16(): number {
    return this.take(2).readInt16BE()
  }

  int32(): number {
    return this.take(4).readInt32BE()
  }

  oid(): number {
    return this.take(4).readUInt32BE()
  }

  cstring(): string {
    const end = this.#bytes.indexOf(0, this.#at)
    if (end === -1) throw new Error(`a string in the message has no end: ${this.#bytes.toString('hex')}`)
    const text = this.#bytes.toString('utf8', this.#at, end)
    this.#at = end + 1
    return text
  }

  take(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) {
      throw new Error(`the message ends after ${this.#bytes.length} bytes, ${this.#at + length} were announced`)
    }
    const part = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += length
    return part
  }

  rest(): Buffer {
    return this.take(this.#bytes.length - this.#at)
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function readableValue(bytes: Buffer): string {
  try {
    return utf8.decode(bytes)
  } catch {
    return `\\x${bytes.toString('hex')}`
  }
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make)
}

function report(reader: Reader): Record<string, FieldValue> {
  const fields: Record<string, FieldValue> = {}
  while (!reader.done) {
    const code = String.fromCharCode(reader.int8())
    if (code === '\0') break
    fields[code] = reader.cstring()
  }
  return fields
}

function copyResponse(reader: Reader): Record<string, FieldValue> {
  return { format: reader.int8(), columns: times(reader.int16(), () => reader.int16()) }
}

function authentication(reader: Reader): Record<string, FieldValue> {
  const kind = reader.int32()
  if (kind === 5) return { kind, salt: reader.rest().toString('hex') }
  if (kind === 10) {
    const mechanisms: string[] = []
    for (let name = reader.cstring(); name !== ''; name = reader.cstring()) mechanisms.push(name)
    return { kind, mechanisms }
  }
  return { kind, data: reader.rest().toString('utf8') }
}

function rowDescription(reader: Reader): Record<string, FieldValue> {
  return {
    columns: times(reader.int16(), () => ({
      name: reader.cstring(),
      tableOid: reader.oid(),
      column: reader.int16(),
      typeOid: reader.oid(),
      typeSize: reader.int16(),
      typeModifier: reader.int32(),
      format: reader.int16(),
    })),
  }
}

function dataRow(reader: Reader): Record<string, FieldValue> {
  const values = times(reader.int16(), () => {
    const length = reader.int32()
    return length === -1 ? null : readableValue(reader.take(length))
  })
  return { values }
}

const decoders: Record<string, readonly [type: string, decode: (reader: Reader) => Record<string, FieldValue>]> = {
  R: ['Authentication', authentication],
  K: ['BackendKeyData', (r) => ({ processId: r.int32(), secret: r.rest().toString('hex') })],
  S: ['ParameterStatus', (r) => ({ name: r.cstring(), value: r.cstring() })],
  Z: ['ReadyForQuery', (r) => ({ status: String.fromCharCode(r.int8()) })],
  T: ['RowDescription', rowDescription],
  D: ['DataRow', dataRow],
  C: ['CommandComplete', (r) => ({ tag: r.cstring() })],
  E: ['ErrorResponse', report],
  N: ['NoticeResponse', report],
  I: ['EmptyQueryResponse', () => ({})],
  '1': ['ParseComplete', () => ({})],
  '2': ['BindComplete', () => ({})],
  '3': ['CloseComplete', () => ({})],
  n: ['NoData', () => ({})],
  s: ['PortalSuspended', () => ({})],
  t: ['ParameterDescription', (r) => ({ types: times(r.int16(), () => r.oid()) })],
  G: ['CopyInResponse', copyResponse],
  H: ['CopyOutResponse', copyResponse],
  W: ['CopyBothResponse', copyResponse],
  d: ['CopyData', (r) => ({ data: readableValue(r.rest()) })],
  c: ['CopyDone', () => ({})],
  A: ['NotificationResponse', (r) => ({ processId: r.int32(), channel: r.cstring(), payload: r.cstring() })],
  V: [
    'FunctionCallResponse',
    (r) => {
      const length = r.int32()
      return { value: length === -1 ? null : readableValue(r.take(length)) }
    },
  ],
  v: ['NegotiateProtocolVersion', (r) => ({ minor: r.int32(), options: times(r.int32(), () => r.cstring()) })],
}

/** Decodes one message; bytes left over, or too few, are an error. */
function decodeAnswer(code: string, body: Buffer): Answer {
  const known = decoders[code]
  if (known === undefined) throw new Error(`unknown backend message '${code}' with ${body.length} bytes`)
  const reader = new Reader(body)
  const fields = known[1](reader)
  if (!reader.done) throw new Error(`${known[0]} has bytes left over: ${reader.rest().toString('hex')}`)
  return { type: known[0], code, fields }
}

/** Cuts a stream of chunks into messages without copying what already arrived again and again. */
export class AnswerSplitter {
  #chunks: Buffer[] = []
  #size = 0

  push(chunk: Buffer): Answer[] {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    const answers: Answer[] = []
    while (this.#size >= 5) {
      const head = this.#peek(5)
      const total = head.readInt32BE(1) + 1
      if (total < 5) throw new Error(`a backend message announces the length ${total - 1}`)
      if (this.#size < total) break
      const whole = this.#peek(total)
      answers.push(decodeAnswer(String.fromCharCode(whole[0] ?? 0), whole.subarray(5, total)))
      const first = this.#chunks[0] ?? Buffer.alloc(0)
      this.#chunks[0] = first.subarray(total)
      this.#size -= total
    }
    return answers
  }

  /** Bytes of an incomplete message that wait for their rest. */
  get pendingBytes(): number {
    return this.#size
  }

  #peek(length: number): Buffer {
    const first = this.#chunks[0] ?? Buffer.alloc(0)
    if (first.length >= length) return first
    const joined = Buffer.concat(this.#chunks)
    this.#chunks = [joined]
    return joined
  }
}

/** One line per answer, for error messages. */
export function summarize(answers: readonly Answer[]): string {
  if (answers.length === 0) return 'nothing'
  const lines = answers.slice(-12).map((answer) => {
    const text = JSON.stringify(answer.fields)
    return `${answer.type} ${text.length > 200 ? `${text.slice(0, 200)}…` : text}`
  })
  const left = answers.length - lines.length
  return `${left > 0 ? `${left} earlier messages, then ` : ''}${lines.join('; ')}`
}

/** Every DataRow's values. */
export function rowsOf(answers: readonly Answer[]): (string | null)[][] {
  return answers.filter((answer) => answer.code === 'D').map((answer) => answer.fields['values'] as (string | null)[])
}

/** The tags of every CommandComplete. */
export function tagsOf(answers: readonly Answer[]): string[] {
  return answers.filter((answer) => answer.code === 'C').map((answer) => String(answer.fields['tag']))
}

/** Status bytes of every ReadyForQuery, joined. */
export function statusOf(answers: readonly Answer[]): string {
  return answers
    .filter((answer) => answer.code === 'Z')
    .map((answer) => String(answer.fields['status']))
    .join('')
}

/** The fields of the first ErrorResponse, if there is one. */
export function errorOf(answers: readonly Answer[]): Record<string, string> | undefined {
  return answers.find((answer) => answer.code === 'E')?.fields as Record<string, string> | undefined
}

/** The fields of every NoticeResponse. */
export function noticesOf(answers: readonly Answer[]): Record<string, string>[] {
  return answers.filter((answer) => answer.code === 'N').map((answer) => answer.fields as Record<string, string>)
}
