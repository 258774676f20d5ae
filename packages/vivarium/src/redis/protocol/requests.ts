const asterisk = 42
const dollar = 36
const carriageReturn = 13
const lineFeed = 10
const zero = 48

/** The bytes of a command, in one buffer. */
export function writeRequest(request: readonly (Buffer | string)[]): Buffer {
  const { length } = request
  let size = headSize(length)
  for (let index = 0; index < length; index++) {
    const bytes = sizeOf(request[index]!)
    size += headSize(bytes) + bytes + 2
  }
  const target = Buffer.allocUnsafe(size)
  let at = writeHead(target, 0, asterisk, length)
  for (let index = 0; index < length; index++) {
    const argument = request[index]!
    const bytes = sizeOf(argument)
    at = writeHead(target, at, dollar, bytes)
    if (typeof argument === 'string') target.write(argument, at)
    else target.set(argument, at)
    at += bytes
    target[at++] = carriageReturn
    target[at++] = lineFeed
  }
  return target
}

function sizeOf(argument: Buffer | string): number {
  return typeof argument === 'string' ? Buffer.byteLength(argument) : argument.length
}

/** `$12\r\n`: a kind, a number, the end of the line. */
function headSize(number: number): number {
  let digits = 1
  for (let rest = number; rest >= 10; rest = Math.floor(rest / 10)) digits++
  return digits + 3
}

function writeHead(target: Buffer, at: number, kind: number, number: number): number {
  const end = at + headSize(number)
  target[at] = kind
  target[end - 2] = carriageReturn
  target[end - 1] = lineFeed
  let rest = number
  for (let place = end - 3; place > at; place--) {
    target[place] = zero + (rest % 10)
    rest = Math.floor(rest / 10)
  }
  return end
}
