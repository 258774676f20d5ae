import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'

const iterations = 4096

/**
 * A password as Postgres stores it (`SCRAM-SHA-256$…`, RFC 5802): the server is spared the hashing, and the password
 * itself is in no statement. For passwords of ASCII letters and digits, which SASLprep leaves alone.
 */
export function makeScramVerifier(password: string, salt: Buffer = randomBytes(16)): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const hmac = (text: string): Buffer => createHmac('sha256', salted).update(text).digest()
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest()
  const base64 = (bytes: Buffer): string => bytes.toString('base64')
  return `SCRAM-SHA-256$${iterations}:${base64(salt)}$${base64(storedKey)}:${base64(hmac('Server Key'))}`
}
