import type { Request } from '../protocol/request-parser.ts'
import type { KeySpec } from './command-table.ts'

/** Positions of a request's keys in it, its name being 0. What is malformed names none: the server will say so. */
export function findKeys(request: Request, specs: readonly KeySpec[]): readonly number[] {
  const [first] = specs
  // What nearly all commands are: one key, right behind the name.
  if (specs.length === 1 && first![0][0] === 'at' && first![1][0] === 'to' && first![1][1] === 0) {
    const [, position] = first![0]
    return position < request.length ? [position] : []
  }
  return specs.flatMap((spec) => keysOf(request, spec))
}

function keysOf(request: Request, [where, find]: KeySpec): readonly number[] {
  const begin = where[0] === 'at' ? where[1] : findKeyword(request, where[1], where[2])
  if (begin === undefined || begin >= request.length) return []
  if (find[0] === 'count') {
    const [, at, offset, step] = find
    const count = Number(request[begin + at]?.toString('latin1'))
    const positions = places(begin + offset, count, step)
    return Number.isInteger(count) && positions.every((position) => position < request.length) ? positions : []
  }
  const [, last, step, limit] = find
  let end = last >= 0 ? begin + last : request.length + last
  if (last < 0 && limit > 1) end = begin + Math.floor((request.length - begin) / limit) - 1
  end = Math.min(end, request.length - 1)
  return places(begin, Math.floor((end - begin) / step) + 1, step)
}

function places(first: number, count: number, step: number): number[] {
  if (!(count > 0) || count > 1_048_576) return []
  return Array.from({ length: count }, (_, index) => first + index * step)
}

/** Where what follows the keyword begins. */
function findKeyword(request: Request, keyword: string, from: number): number | undefined {
  const isKeyword = (position: number): boolean => request[position]?.toString('latin1').toLowerCase() === keyword
  if (from >= 0) {
    for (let at = from; at < request.length; at++) if (isKeyword(at)) return at + 1
  } else {
    for (let at = request.length + from; at > 0; at--) if (isKeyword(at)) return at + 1
  }
  return undefined
}
