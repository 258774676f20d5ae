import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { writeRequest } from '../protocol/requests.ts'
import type { RedisTarget } from './target.ts'

/** A socket to the server, connecting. What is written meanwhile is sent then. */
export function connectTo({ host, port, path, tls }: RedisTarget): Socket {
  const socket =
    path !== undefined
      ? connect({ path })
      : tls === true
        ? // A certificate is never asked for by an address.
          connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }) })
        : connect({ host, port })
  socket.setNoDelay(true)
  return socket
}

/** What is said first on a connection: who we are, and which database. */
export function loginRequests({ username, password, database }: RedisTarget): Buffer[] {
  const requests: Buffer[] = []
  if (password !== undefined) {
    requests.push(writeRequest(username === undefined ? ['AUTH', password] : ['AUTH', username, password]))
  }
  if (database !== 0) requests.push(writeRequest(['SELECT', String(database)]))
  return requests
}
