import { connect, type Socket } from 'node:net'
import { createTransport, type SendMailOptions } from 'nodemailer'
import { type MailOptions, openVivarium, type Vivarium } from '../../src/index.ts'
import { useOpened } from './opened.ts'

/** A vivarium with mail and without a database. */
export type MailVivarium = Pick<Vivarium, 'mail' | 'openSandbox'>

/** One for the test file. What a failed test left open is closed before the next test. */
export function useMailVivarium(options: MailOptions = {}): MailVivarium {
  return useOpened(() => openVivarium({ mail: options }))
}

/** A mail with nothing particular about it. */
export const plainMail: SendMailOptions = {
  from: 'shop@example.com',
  to: 'ada@example.com',
  subject: 'Welcome',
  text: 'Hello',
}

/** Sends a mail by nodemailer on a connection of its own, which is closed. */
export async function send(url: string, mail: SendMailOptions = {}): Promise<void> {
  await createTransport(url).sendMail({ ...plainMail, ...mail })
}

/** A mail client that says exactly what it is told to. */
export interface RawSmtp {
  readonly socket: Socket
  /** Writes lines, and resolves to the next whole reply, or to `closed`. */
  say(...lines: readonly string[]): Promise<string>
  /** The next whole reply. */
  reply(): Promise<string>
}

/** Connects, and reads the greeting. */
export async function connectRaw(url: string): Promise<RawSmtp> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let unread = ''
  let isClosed = false
  let wake: (() => void) | undefined
  socket.setEncoding('utf8')
  socket.on('data', (text) => {
    unread += String(text)
    wake?.()
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    isClosed = true
    wake?.()
  })
  const reply = async (): Promise<string> => {
    for (;;) {
      // The last line of a reply has a space behind its code.
      const found = /^(?:\d{3}-[^\r\n]*\r\n)*\d{3} [^\r\n]*\r\n/.exec(unread)?.[0]
      if (found !== undefined) {
        unread = unread.slice(found.length)
        return found.trimEnd()
      }
      if (isClosed) return 'closed'
      await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  const say = (...lines: readonly string[]): Promise<string> => {
    socket.write(lines.map((line) => `${line}\r\n`).join(''))
    return reply()
  }
  await reply()
  return { socket, say, reply }
}
