const lineEnd: Buffer = Buffer.from('\r\n')

/** The bytes of a command. */
export function writeRequest(request: readonly (Buffer | string)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${request.length}\r\n`)]
  for (const argument of request) {
    const bytes = typeof argument === 'string' ? Buffer.from(argument) : argument
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, lineEnd)
  }
  return Buffer.concat(parts)
}
