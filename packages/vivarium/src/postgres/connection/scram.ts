import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto'

/** One SCRAM-SHA-256 exchange without channel binding (RFC 5802, RFC 7677; PostgreSQL documentation, "SASL"). */
export interface ScramExchange {
  readonly mechanism: 'SCRAM-SHA-256'
  readonly clientFirst: string
  /** Answers the server's first message. */
  clientFinal(serverFirst: string): string
  /** Checks that the server knows the password too. */
  verify(serverFinal: string): boolean
}

export function startScram(password: string): ScramExchange {
  const nonce = randomBytes(18).toString('base64')
  const firstBare = `n=*,r=${nonce}`
  let expectedSignature = Buffer.alloc(0)
  return {
    mechanism: 'SCRAM-SHA-256',
    clientFirst: `n,,${firstBare}`,
    clientFinal: (serverFirst) => {
      const { r: serverNonce = '', s: salt = '', i: iterations = '' } = attributes(serverFirst)
      if (!serverNonce.startsWith(nonce) || salt === '' || !(Number(iterations) > 0)) {
        throw new Error('the server sent a malformed SCRAM message')
      }
      const saltedPassword = pbkdf2Sync(
        password.normalize('NFKC'),
        Buffer.from(salt, 'base64'),
        Number(iterations),
        32,
        'sha256',
      )
      const clientKey = hmac(saltedPassword, 'Client Key')
      const storedKey = createHash('sha256').update(clientKey).digest()
      const finalBare = `c=biws,r=${serverNonce}`
      const authMessage = `${firstBare},${serverFirst},${finalBare}`
      const clientSignature = hmac(storedKey, authMessage)
      expectedSignature = hmac(hmac(saltedPassword, 'Server Key'), authMessage)
      const proof = clientKey.map((byte, index) => byte ^ (clientSignature[index] as number))
      return `${finalBare},p=${Buffer.from(proof).toString('base64')}`
    },
    verify: (serverFinal) => {
      const signature = Buffer.from(attributes(serverFinal)['v'] ?? '', 'base64')
      // Empty until the exchange has taken place.
      if (expectedSignature.length === 0 || signature.length !== expectedSignature.length) return false
      return timingSafeEqual(signature, expectedSignature)
    },
  }
}

function attributes(message: string): Record<string, string> {
  return Object.fromEntries(message.split(',').map((part) => [part.slice(0, 1), part.slice(2)]))
}

function hmac(key: Buffer, data: string): Buffer<ArrayBuffer> {
  return createHmac('sha256', key).update(data).digest() as Buffer<ArrayBuffer>
}
