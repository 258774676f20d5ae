import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'

/** The answer to AuthenticationMD5Password. */
export function md5Password(user: string, password: string, salt: Buffer): string {
  const inner = createHash('md5').update(`${password}${user}`).digest('hex')
  return `md5${createHash('md5').update(inner).update(salt).digest('hex')}`
}

/** A client's half of SCRAM-SHA-256 (RFC 5802 and 7677) without channel binding. */
export class ScramClient {
  readonly #nonce: string = randomBytes(18).toString('base64')
  readonly #password: string
  #expectedSignature = ''

  constructor(password: string) {
    this.#password = password
  }

  first(): string {
    return `n,,n=,r=${this.#nonce}`
  }

  final(serverFirst: string): string {
    const attributes = new Map(serverFirst.split(',').map((part) => [part.slice(0, 1), part.slice(2)]))
    const nonce = attributes.get('r') ?? ''
    if (!nonce.startsWith(this.#nonce)) throw new Error(`SCRAM: the server's nonce does not extend ours: ${nonce}`)
    const salted = pbkdf2Sync(
      this.#password.normalize('NFKC'),
      Buffer.from(attributes.get('s') ?? '', 'base64'),
      Number(attributes.get('i')),
      32,
      'sha256',
    )
    const clientKey = hmac(salted, 'Client Key')
    const storedKey = createHash('sha256').update(clientKey).digest()
    const withoutProof = `c=biws,r=${nonce}`
    const authMessage = `n=,r=${this.#nonce},${serverFirst},${withoutProof}`
    const signature = hmac(storedKey, authMessage)
    const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)))
    this.#expectedSignature = hmac(hmac(salted, 'Server Key'), authMessage).toString('base64')
    return `${withoutProof},p=${proof.toString('base64')}`
  }

  verify(serverFinal: string): void {
    if (serverFinal !== `v=${this.#expectedSignature}`) throw new Error(`SCRAM: wrong server signature ${serverFinal}`)
  }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
