import type { Request } from './request-parser.ts'
import { writeRequest } from './requests.ts'

const carriageReturn = 13
const zero = 48

/**
 * A command in the bytes it came in: nothing is taken out of them that nobody asks for. A parser has one, which is good until it reads
 * the next command.
 */
export class RawRequest {
  bytes: Buffer = Buffer.alloc(0)
  /** Where the command begins and ends in the bytes. */
  begin = 0
  end = 0
  /** How many arguments it has, its name included. */
  count = 0
  /** Where each argument begins and ends. */
  readonly begins: number[] = []
  readonly ends: number[] = []

  /** A command that was taken apart, in bytes again. */
  static of(request: Request): RawRequest {
    const raw = new RawRequest()
    raw.set(request)
    return raw
  }

  /** Becomes the command with these arguments. */
  set(request: Request): void {
    this.bytes = writeRequest(request)
    this.begin = 0
    this.end = this.bytes.length
    this.count = request.length
    let at = lineAfter(this.bytes, 0)
    for (const [index, { length }] of request.entries()) {
      at = lineAfter(this.bytes, at)
      this.begins[index] = at
      this.ends[index] = at + length
      at += length + 2
    }
  }

  argument(index: number): Buffer {
    return this.bytes.subarray(this.begins[index], this.ends[index])
  }

  /** An argument, each byte as one character. */
  text(index: number): string {
    return this.bytes.toString('latin1', this.begins[index], this.ends[index])
  }

  takeApart(): Request {
    const request: Buffer[] = []
    for (let index = 0; index < this.count; index++) request.push(this.argument(index))
    return request
  }
}

/** Takes a command apart that begins in `bytes` at `begin`, and has been read before. */
export function readAgain(bytes: Buffer, begin: number): Request {
  let at = lineAfter(bytes, begin)
  const request: Buffer[] = []
  for (let left = numberAt(bytes, begin); left > 0; left--) {
    const length = numberAt(bytes, at)
    at = lineAfter(bytes, at)
    request.push(bytes.subarray(at, at + length))
    at += length + 2
  }
  return request
}

function numberAt(bytes: Buffer, lineBegin: number): number {
  let number = 0
  for (let at = lineBegin + 1; bytes[at] !== carriageReturn; at++) number = number * 10 + bytes[at]! - zero
  return number
}

function lineAfter(bytes: Buffer, at: number): number {
  return bytes.indexOf(carriageReturn, at) + 2
}
