import { createHash } from 'node:crypto'
import { connect as connectTcp, isIP } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { withDeadline } from '../../core/clock.ts'
import { VivariumError } from '../../core/errors.ts'
import { readCString } from '../protocol/backend.ts'
import { FrameReader } from '../protocol/frame-reader.ts'
import {
  encodeCancelRequest,
  encodePassword,
  encodeSaslInitial,
  encodeSaslResponse,
  encodeSslRequest,
  encodeStartup,
} from '../protocol/frontend.ts'
import { Backend } from '../protocol/message-types.ts'
import { readMessageFields, toServerMessage } from '../protocol/server-message.ts'
import { startScram } from './scram.ts'
import type { ScramExchange } from './scram.ts'
import { PostgresServerError } from './server-error.ts'
import { describeTarget } from './target.ts'
import type { ConnectionTarget } from './target.ts'

/** A raw connection after its login: the caller owns the socket and reads messages itself. */
export interface BackendConnection {
  readonly socket: Socket
  readonly processId: number
  readonly secretKey: Buffer
  /** ParameterStatus values of the login, in the order they came. */
  readonly parameters: Map<string, string>
  readonly target: ConnectionTarget
}

/** How long a login may take. */
export interface ConnectOptions {
  /** Milliseconds. @default 10_000 */
  deadlineMs?: number
}

/**
 * Connects and logs in (trust, cleartext, MD5, SCRAM-SHA-256; TLS as the target says).
 *
 * @throws PostgresServerError what the server answered to the login.
 * @throws VivariumError SERVER_UNREACHABLE when there is no connection in time.
 */
export async function openBackendConnection(
  target: ConnectionTarget,
  options: ConnectOptions = {},
): Promise<BackendConnection> {
  const deadlineMs = options.deadlineMs ?? 10_000
  let socket: Socket | undefined
  const open = async (): Promise<BackendConnection> => {
    socket = await openSocket(target)
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 10_000)
    return login(await negotiateTls(socket, target), target)
  }
  try {
    return await withDeadline(open(), deadlineMs, () => unreachable(target, `no login within ${deadlineMs} ms`))
  } catch (error) {
    socket?.destroy()
    if (error instanceof PostgresServerError || error instanceof VivariumError) throw error
    throw unreachable(target, error instanceof Error ? error.message : String(error), error)
  }
}

/** Asks the server to cancel what a connection runs; resolves when the server has closed the request's connection. */
export async function sendCancelRequest(connection: BackendConnection, options: ConnectOptions = {}): Promise<void> {
  const { target } = connection
  const deadlineMs = options.deadlineMs ?? 10_000
  const socket = await withDeadline(openSocket(target), deadlineMs, () => unreachable(target, 'no answer to a cancel'))
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => resolve())
    socket.on('error', () => socket.destroy())
  })
  socket.resume()
  socket.write(encodeCancelRequest(connection.processId, connection.secretKey))
  await withDeadline(closed, deadlineMs, () => unreachable(target, 'a cancel request was not taken')).finally(() =>
    socket.destroy(),
  )
}

function unreachable(target: ConnectionTarget, seen: string, cause?: unknown): VivariumError {
  return new VivariumError('SERVER_UNREACHABLE', {
    what: `Could not connect to ${describeTarget(target)}.`,
    seen,
    remedy: 'Check that the server runs, and host, port and TLS settings of the URL.',
    cause,
  })
}

function openSocket(target: ConnectionTarget): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket =
      target.socketFolder === undefined
        ? connectTcp({ host: target.host, port: target.port })
        : connectTcp({ path: `${target.socketFolder}/.s.PGSQL.${target.port}` })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.removeListener('error', reject)
      resolve(socket)
    })
  })
}

async function negotiateTls(socket: Socket, target: ConnectionTarget): Promise<Socket> {
  const mode = target.tls ?? 'prefer'
  const local = target.socketFolder !== undefined || target.host === 'localhost' || target.host.startsWith('127.')
  if (mode === 'disable' || (mode === 'prefer' && local)) return socket
  socket.write(encodeSslRequest())
  const answer = await readSome(socket)
  if (answer[0] !== 0x53) {
    if (mode === 'prefer') return socket
    throw new Error(`the server does not offer TLS, and sslmode is ${mode}`)
  }
  const secure = connectTls({
    socket,
    servername: isIP(target.host) === 0 ? target.host : undefined,
    rejectUnauthorized: mode === 'verify-full',
  })
  await new Promise<void>((resolve, reject) => {
    secure.once('secureConnect', resolve)
    secure.once('error', reject)
  })
  return secure
}

function readSome(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const cleanUp = (): void => {
      socket.removeListener('data', onData)
      socket.removeListener('error', onError)
      socket.removeListener('close', onClose)
    }
    const onData = (chunk: Buffer): void => {
      cleanUp()
      socket.pause()
      resolve(chunk)
    }
    const onError = (error: Error): void => {
      cleanUp()
      reject(error)
    }
    const onClose = (): void => {
      cleanUp()
      reject(new Error('the server closed the connection during the login'))
    }
    socket.on('data', onData)
    socket.once('error', onError)
    socket.once('close', onClose)
    socket.resume()
  })
}

async function login(socket: Socket, target: ConnectionTarget): Promise<BackendConnection> {
  const { user, database } = target
  socket.write(encodeStartup({ user, database, client_encoding: 'UTF8', ...target.parameters }))
  const reader = new FrameReader()
  const parameters = new Map<string, string>()
  let processId = 0
  let secretKey: Buffer = Buffer.alloc(4)
  let scram: ScramExchange | undefined
  for (;;) {
    const type = reader.next()
    if (type === 0) {
      reader.push(await readSome(socket))
      continue
    }
    const { buffer, end } = reader
    const start = reader.start + 5
    switch (type) {
      case Backend.authentication:
        scram = answerAuthentication(socket, target, buffer.subarray(start, end), scram)
        break
      case Backend.parameterStatus: {
        const name = readCString(buffer, start, end)
        parameters.set(name, readCString(buffer, start + Buffer.byteLength(name) + 1, end))
        break
      }
      case Backend.backendKeyData:
        processId = buffer.readInt32BE(start)
        secretKey = Buffer.from(buffer.subarray(start + 4, end))
        break
      case Backend.errorResponse:
        throw new PostgresServerError(toServerMessage(readMessageFields(buffer, start, end)))
      case Backend.readyForQuery:
        return { socket, processId, secretKey, parameters, target }
      default:
        break
    }
  }
}

/** Answers one Authentication message; returns the SCRAM exchange while one is under way. */
function answerAuthentication(
  socket: Socket,
  target: ConnectionTarget,
  body: Buffer,
  scram: ScramExchange | undefined,
): ScramExchange | undefined {
  const method = body.readInt32BE(0)
  const password = (): string => {
    if (target.password === undefined) throw new Error('the server asks for a password and the URL has none')
    return target.password
  }
  switch (method) {
    case 0:
      return undefined
    case 3:
      socket.write(encodePassword(password()))
      return undefined
    case 5:
      socket.write(encodePassword(md5Password(target.user, password(), body.subarray(4, 8))))
      return undefined
    case 10: {
      if (!body.toString('latin1', 4).split('\0').includes('SCRAM-SHA-256')) {
        throw new Error('the server offers no SASL mechanism that we speak (SCRAM-SHA-256)')
      }
      const exchange = startScram(password())
      socket.write(encodeSaslInitial(exchange.mechanism, exchange.clientFirst))
      return exchange
    }
    case 11:
      if (scram !== undefined) socket.write(encodeSaslResponse(scram.clientFinal(body.toString('utf8', 4))))
      return scram
    case 12:
      if (scram?.verify(body.toString('utf8', 4)) !== true) throw new Error('the server failed to prove its identity')
      return scram
    default:
      throw new Error(`the server asks for authentication method ${method}, which we do not speak`)
  }
}

function md5Password(user: string, password: string, salt: Buffer): string {
  const md5 = (data: string | Buffer): string => createHash('md5').update(data).digest('hex')
  return `md5${md5(Buffer.concat([Buffer.from(md5(password + user)), salt]))}`
}
