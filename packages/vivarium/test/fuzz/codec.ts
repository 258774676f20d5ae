import fc from 'fast-check'
import type { Vivarium } from '../../src/index.ts'
import { readBindNames, readBindValues } from '../../src/postgres/gateway/client-statement.ts'
import { StartupReader } from '../../src/postgres/gateway/startup.ts'
import { FrameReader, ProtocolViolation } from '../../src/postgres/protocol/frame-reader.ts'
import { openTestVivarium } from '../support/vivarium.ts'
import { connect, dial, errorOf, rawMessage, rowsOf, WireError } from '../support/wire.ts'
import { check, type FuzzResult, type FuzzRun, type Trouble } from './check.ts'

/** Bytes, and where the stream is cut. */
interface Cut {
  readonly bytes: Uint8Array
  readonly cuts: readonly number[]
}

const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 12 })
/** Bodies that look as if something were in them: types of messages, lengths, zeros. */
const likelyBytes = fc
  .array(
    fc.oneof(
      fc.constantFrom(...'QPBDECHSXFdcfp'.split('')).map((letter) => [...Buffer.from(letter)]),
      fc.constantFrom(
        [0],
        [0, 0, 0, 4],
        [0, 0, 0, 5],
        [0, 0, 0, 8],
        [0, 1],
        [255, 255, 255, 255],
        [127, 255, 255, 255],
      ),
      fc.constantFrom('select 1', 'begin', 'S', 'P', 'p1').map((text) => [...Buffer.from(text)]),
      fc.uint8Array({ maxLength: 8 }).map((bytes) => [...bytes]),
    ),
    { maxLength: 20 },
  )
  .map((parts) => Uint8Array.from(parts.flat()))
const messages = fc.array(
  fc
    .tuple(fc.constantFrom(...'QPBDECHSXFdcfp!Z\u0001'.split('')), likelyBytes)
    .map(([type, body]) => rawMessage(type, Buffer.from(body))),
  { maxLength: 8 },
)
const stream: fc.Arbitrary<Cut> = fc.record({
  bytes: fc.oneof(
    likelyBytes,
    messages.map((list) => Uint8Array.from(Buffer.concat(list))),
  ),
  cuts,
})

/** Arbitrary bytes, cut anywhere, to everything that reads a client's bytes; every fortieth to a live gateway as well. */
export async function fuzzCodec(run: FuzzRun): Promise<FuzzResult> {
  await using vivarium = await openTestVivarium()
  let count = 0
  const toGateway = (): boolean => run.path !== undefined || count++ % 40 === 0
  return await check(run, fc.tuple(stream, messages), async ([cut, list]) => {
    const live = toGateway()
    return (
      framesStayWhole(list, cut.cuts) ??
      readsOrRefuses(cut) ??
      (live
        ? ((await gatewaySurvives(vivarium, cut, 'startup')) ?? (await gatewaySurvives(vivarium, cut, 'ready')))
        : undefined)
    )
  })
}

function chunksOf(bytes: Uint8Array, at: readonly number[]): Buffer[] {
  const whole = Buffer.from(bytes)
  const places = [0, ...at.map((place) => place % (whole.length + 1)).toSorted((a, b) => a - b), whole.length]
  return places.slice(1).map((place, index) => whole.subarray(places[index], place))
}

function trouble({ bytes, cuts }: Cut, difference: string): Trouble {
  const lengths = chunksOf(bytes, cuts).map(({ length }) => length)
  return { lines: [`bytes ${Buffer.from(bytes).toString('hex')}`, `in pieces of ${lengths.join(', ')}`], difference }
}

/** Valid messages come out as they went in, wherever the stream is cut. */
function framesStayWhole(sent: readonly Buffer[], at: readonly number[]): Trouble | undefined {
  const bytes = Uint8Array.from(Buffer.concat([...sent]))
  const reader = new FrameReader()
  const seen: string[] = []
  for (const chunk of chunksOf(bytes, at)) {
    reader.push(chunk)
    while (reader.next() !== 0) seen.push(reader.buffer.subarray(reader.start, reader.end).toString('hex'))
  }
  const expected = sent.map((message) => message.toString('hex'))
  if (seen.join() === expected.join()) return undefined
  return trouble({ bytes, cuts: at }, `sent ${expected.join(' ')}, read ${seen.join(' ')}`)
}

/** Any bytes are read, waited for or refused as a violation of the protocol; nothing else is thrown. */
function readsOrRefuses(cut: Cut): Trouble | undefined {
  const chunks = chunksOf(cut.bytes, cut.cuts)
  const readers: Record<string, () => void> = {
    'the frame reader': () => {
      const reader = new FrameReader()
      let taken = 0
      for (const chunk of chunks) {
        reader.push(chunk)
        while (reader.next() !== 0) {
          taken += reader.end - reader.start
          if (reader.end > reader.buffer.length || taken > cut.bytes.length) throw new Error('read more than there was')
        }
      }
    },
    'the start-up reader': () => {
      const reader = new StartupReader()
      for (const chunk of chunks) {
        reader.push(chunk)
        while (reader.take() !== undefined);
        if (reader.rest.length > cut.bytes.length) throw new Error('holds more than it was given')
      }
    },
    'the reader of Bind': () => {
      const body = Buffer.from(cut.bytes)
      const { restStart } = readBindNames(body, 0, body.length)
      readBindValues(body, restStart, body.length)
    },
  }
  for (const [name, read] of Object.entries(readers)) {
    try {
      read()
    } catch (error) {
      if (error instanceof ProtocolViolation || error instanceof RangeError) continue
      return trouble(cut, `${name}: ${String(error)}`)
    }
  }
  return undefined
}

/** A live connection takes the bytes; afterwards the sandbox works, ends, and has kept nothing. */
async function gatewaySurvives(vivarium: Vivarium, cut: Cut, phase: 'startup' | 'ready'): Promise<Trouble | undefined> {
  const sandbox = await vivarium.openSandbox({ title: 'a codec fuzz' })
  try {
    const { url } = vivarium.postgres
    const hostile = phase === 'startup' ? await dial(url) : await connect(url)
    for (const chunk of chunksOf(cut.bytes, cut.cuts)) hostile.send(chunk)
    hostile.socket.end()
    await hostile.untilClosed()
    hostile.socket.destroy()
    const connection = await connect(url)
    const answers = await connection.query('select count(*) from parents')
    await connection.end()
    if (rowsOf(answers)[0]?.[0] !== '2')
      return trouble(cut, `afterwards: ${JSON.stringify(errorOf(answers) ?? answers)}`)
    return undefined
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    return trouble(cut, `${phase}: ${error.message}`)
  } finally {
    // What the bytes left open is reported there; the next sandbox shows whether anything stayed.
    await sandbox.close().catch(() => undefined)
  }
}
