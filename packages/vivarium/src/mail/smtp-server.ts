import type { Socket } from 'node:net'
import type { SMTPServerSession } from 'smtp-server'
import type { Certificate } from './certificate.ts'
import type * as Libraries from './libraries.ts'
import { parseMail } from './parse-mail.ts'
import type { SmtpReply } from './rejections.ts'
import type { SmtpClient } from './smtp-client.ts'

/** What the SMTP server is to be like. */
export interface SmtpOptions {
  readonly maxBytes: number
  readonly offerTls: boolean
  readonly certificate: Certificate
}

/** Speaks SMTP on sockets that are handed to it. */
export interface SmtpServer {
  /** Returns what ends the connection in good order. */
  serve(socket: Socket, client: SmtpClient): () => void
}

const idleMs = 10 * 60_000

/** Makes a server of the library that has been loaded. It listens nowhere. */
export function makeSmtpServer(libraries: typeof Libraries, options: SmtpOptions): SmtpServer {
  const { SMTPServer, SMTPConnection, simpleParser } = libraries
  const { maxBytes, offerTls, certificate } = options
  const clients = new Map<string, SmtpClient>()
  const clientOf = ({ id }: SMTPServerSession): SmtpClient => {
    const client = clients.get(id)
    if (client === undefined) throw new Error('an SMTP session without a connection')
    return client
  }

  /** The library greets after 100 ms, to find senders of spam, and tells nobody of a transaction's end. */
  class Connection extends SMTPConnection {
    override init(): void {
      this._setListeners(() => this.connectionReady())
    }

    override send(...args: Parameters<InstanceType<typeof SMTPConnection>['send']>): void {
      clients.get(this.id)?.heard()
      super.send(...args)
    }

    override _resetSession(): void {
      clients.get(this.id)?.reset()
      super._resetSession()
    }
  }

  const server = new SMTPServer({
    name: 'vivarium',
    banner: 'Vivarium',
    logger: false,
    disableReverseLookup: true,
    size: maxBytes,
    key: certificate.key,
    cert: certificate.cert,
    hideSTARTTLS: !offerTls,
    hideENHANCEDSTATUSCODES: true,
    authOptional: true,
    allowInsecureAuth: true,
    authMethods: ['PLAIN', 'LOGIN', 'CRAM-MD5', 'XOAUTH2'],
    socketTimeout: idleMs,
    onConnect: (_, done) => done(),
    onSecure: (_socket, _session, done) => done(),
    onAuth: ({ username = '', password }, session, done) => {
      const refused = clientOf(session).logIn(username, password ?? undefined)
      if (refused === undefined) done(null, { user: username || 'somebody' })
      else done(replyError(refused))
    },
    onMailFrom: ({ address }, session, done) => done(errorOf(clientOf(session).mailFrom(address))),
    onRcptTo: ({ address }, session, done) => done(errorOf(clientOf(session).recipient(address))),
    onData: (stream, session, tell) => {
      let chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => {
        // Told at the end: until then a client does not listen.
        if (stream.sizeExceeded) chunks = []
        else chunks.push(chunk)
      })
      // Its connection went: the client's `closed` is what ends the delivery.
      stream.on('error', () => (chunks = []))
      stream.on('end', () => {
        if (stream.sizeExceeded) {
          tell(replyError({ code: 552, message: `The mail has more than ${maxBytes} bytes: raise mail.maxBytes` }))
          return
        }
        const { mailFrom, rcptTo } = session.envelope
        const envelope = { from: mailFrom ? mailFrom.address : '', to: rcptTo.map(({ address }) => address) }
        const raw = Buffer.concat(chunks)
        chunks = []
        const deliver = async (): Promise<void> => {
          const answer = await clientOf(session).message(envelope, () => parseMail(raw, envelope, simpleParser))
          if (answer !== 'dropped') tell(errorOf(answer))
        }
        void deliver()
      })
    },
  })
  // Connections that broke off: their clients know, and a delivery of theirs is ended.
  server.on('error', () => undefined)

  return {
    serve: (socket, client) => {
      const connection = new Connection(server, socket)
      server.connections.add(connection)
      connection.on('error', () => socket.destroy())
      clients.set(connection.id, client)
      socket.once('close', () => clients.delete(connection.id))
      connection.init()
      return () => connection.close()
    },
  }
}

function errorOf(refused: SmtpReply | undefined): Error | null {
  return refused === undefined ? null : replyError(refused)
}

function replyError({ code, message }: SmtpReply): Error {
  return Object.assign(new Error(message), { responseCode: code })
}
