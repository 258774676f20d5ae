import type { AddressInfo, Socket } from 'node:net'
import type { SandboxOwner } from '../core/owner.ts'
import { findCurrent } from '../core/registry.ts'
import { listenLocally } from '../machine/listen-locally.ts'
import { type Certificate, makeCertificate } from './certificate.ts'
import { Mailbox, type SandboxMail } from './mailbox.ts'
import type { ResolvedMail } from './options.ts'
import type { SmtpReply } from './rejections.ts'
import { SmtpClient } from './smtp-client.ts'
import { makeSmtpServer, type SmtpServer } from './smtp-server.ts'

/** What is told on the stable URL while nothing tells whose mail it is. */
export interface StableMailRefusal {
  readonly message: string
  readonly onRefused: () => void
}

/** Mail as one process of a run sees it. */
export interface MailPart {
  /** The stable URL: follows this process's current sandbox. */
  readonly url: string
  /** The server's self-signed certificate, PEM. */
  readonly certificate: string
  /** The application's environment variables, and what to write into them. */
  readonly environment: Readonly<Record<string, string>>
  /** A sandbox's own mailbox, made at its first use. */
  mailboxOf(owner: SandboxOwner): SandboxMail
  /** Until the returned function is called, the stable URL refuses every mail. */
  refuseStable(refusal: StableMailRefusal): () => void
  /** Ends every connection. */
  close(): Promise<void>
}

const noSandbox: SmtpReply = {
  code: 554,
  message:
    'No sandbox is open, so this mail belongs to none. Send it inside a test or a hook, not while a module loads (NO_SANDBOX)',
}

/** A pinned URL's user, as long as something may still come for it. */
type Pin = { readonly is: 'open'; readonly mailbox: Mailbox } | { readonly is: 'closed'; readonly title: string }

/**
 * Opens this process's mail server: listens on 127.0.0.1 with a free port. What speaks SMTP is loaded with the first connection, so
 * that a worker without mail does not wait for it.
 */
export async function joinMail(info: ResolvedMail): Promise<MailPart> {
  const sockets = new Set<Socket>()
  const pins = new Map<string, Pin>()
  let mailboxes = 0
  let stableRefusal: StableMailRefusal | undefined
  let made: Certificate | undefined
  let loaded: Promise<SmtpServer> | undefined

  const certificate = (): Certificate => (made ??= makeCertificate())
  const load = async (): Promise<SmtpServer> => {
    const libraries = await import('./libraries.ts')
    return makeSmtpServer(libraries, { ...info, certificate: certificate() })
  }

  const mailboxOf = (owner: SandboxOwner): Mailbox =>
    owner.part('mail', () => {
      mailboxes++
      const mailbox = new Mailbox(owner, mailboxes, server, ({ user }) =>
        pins.set(user, { is: 'closed', title: owner.title }),
      )
      pins.set(mailbox.user, { is: 'open', mailbox })
      return mailbox
    })

  const host = {
    stableMailbox: (): Mailbox | SmtpReply => {
      if (stableRefusal !== undefined) {
        stableRefusal.onRefused()
        return { code: 554, message: stableRefusal.message }
      }
      const current = findCurrent() as SandboxOwner | undefined
      return current === undefined || current.state === 'closed' ? noSandbox : mailboxOf(current)
    },
    pinnedMailbox: (user: string, password: string | undefined): Mailbox | SmtpReply | undefined => {
      if (!user.startsWith('vivarium-sandbox-')) return undefined
      const pin = pins.get(user)
      if (pin?.is === 'closed') return { code: 535, message: `Sandbox "${pin.title}" is closed (SANDBOX_CLOSED)` }
      // A challenge (CRAM-MD5) sends no password; the name alone is then trusted: it guards nothing but a mix-up.
      if (pin !== undefined && (password ?? pin.mailbox.password) === pin.mailbox.password) return pin.mailbox
      return { code: 535, message: 'This URL is of no sandbox of this process: take it from sandbox.mail.url' }
    },
  }

  const accept = (socket: Socket): void => {
    socket.unref()
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => sockets.delete(socket))
    // Now, and not when the library is there: the sandbox must not close before that.
    const current = stableRefusal === undefined ? (findCurrent() as SandboxOwner | undefined) : undefined
    const madeIn = current?.state === 'open' ? mailboxOf(current) : undefined
    const line: { end: () => void; destroy: () => void } = {
      end: () => socket.end(),
      destroy: () => socket.destroy(),
    }
    const client = new SmtpClient(host, line, madeIn)
    loaded ??= load()
    loaded.then(
      (smtp) => {
        if (!socket.destroyed) line.end = smtp.serve(socket, client)
      },
      (error: unknown) => {
        socket.destroy()
        madeIn?.owner.fail(error)
      },
    )
    socket.once('close', () => client.closed())
  }

  const listener = await listenLocally(accept)
  const { port } = listener.address() as AddressInfo
  const server = {
    get certificate(): string {
      return certificate().cert
    },
    urlFor: (user: string, password: string) => `smtp://${user}:${password}@127.0.0.1:${port}`,
  }
  const url = `smtp://127.0.0.1:${port}`
  return {
    url,
    get certificate() {
      return certificate().cert
    },
    environment: environmentOf(info, { url, host: '127.0.0.1', port: String(port) }),
    mailboxOf,
    refuseStable: (refusal) => {
      stableRefusal = refusal
      return () => {
        if (stableRefusal === refusal) stableRefusal = undefined
      }
    },
    close: () =>
      new Promise<void>((resolve) => {
        listener.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

function environmentOf(
  { env }: ResolvedMail,
  values: Readonly<Record<'url' | 'host' | 'port', string>>,
): Readonly<Record<string, string>> {
  const parts = ['url', 'host', 'port'] as const
  return Object.fromEntries(parts.flatMap((part) => (env[part] === undefined ? [] : [[env[part], values[part]]])))
}
