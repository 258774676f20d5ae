import { createHash, randomBytes } from 'node:crypto'

/** Says to the shop that whoever has it reads the mails of an address. */
export function newVerificationToken(): string {
  return randomBytes(32).toString('base64url')
}

/** What is stored of a token. It is random throughout, so that a fast hash without a salt is enough. */
export function hashVerificationToken(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}
