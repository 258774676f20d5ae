import type { Reply } from '../protocol/reply.ts'
import type { Request } from '../protocol/request-parser.ts'

/** What a client logs in with. */
export interface Login {
  readonly username: string | undefined
  readonly password: string
}

/** An AUTH or a HELLO: what it logs in with, and what of it is for the server. */
export interface LoginRequest {
  readonly login: Login | undefined
  readonly rest: Request | undefined
}

export const authMalformed: Reply = { type: '-', text: "ERR wrong number of arguments for 'auth' command" }

export const notLoggedIn: Reply = { type: '-', text: 'NOAUTH Authentication required.' }

export const helloNotLoggedIn: Reply = {
  type: '-',
  text:
    'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used ' +
    'to authenticate the client and select the RESP protocol version at the same time',
}

export const noTls: Reply = {
  type: '-',
  text: 'ERR Vivarium: the URL of a sandbox is redis://, without TLS. Use it as it was given.',
}

export const wrongPassword: Reply = {
  type: '-',
  text: 'WRONGPASS invalid username-password pair or user is disabled. Vivarium: use the URL as it was given, with user and password.',
}

export function isLogin(name: string): boolean {
  return name === 'auth' || name === 'hello'
}

export function readLogin(request: Request, name: string): LoginRequest {
  if (name === 'hello') return readHello(request)
  const isWellFormed = request.length === 2 || request.length === 3
  return { login: isWellFormed ? readAuth(request) : undefined, rest: undefined }
}

function readAuth(request: Request): Login {
  const username = request.length === 3 ? request[1]!.toString() : undefined
  return { username, password: request.at(-1)!.toString() }
}

function readHello(request: Request): LoginRequest {
  const rest = [...request]
  for (let at = 2; at < rest.length; at++) {
    const option = rest[at]!.toString('latin1').toLowerCase()
    if (option === 'setname') at++
    if (option !== 'auth' || at + 2 >= rest.length) continue
    const [, username, password] = rest.splice(at, 3)
    return { login: { username: username!.toString(), password: password!.toString() }, rest }
  }
  return { login: undefined, rest }
}
