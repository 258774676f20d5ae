import type { Request } from '../protocol/request-parser.ts'

/** Position of a time behind a command's name, and what one of its units is. */
const atPlace: Readonly<Record<string, readonly [position: number, unit: Unit]>> = {
  setex: [2, 's'],
  psetex: [2, 'ms'],
  expire: [2, 's'],
  pexpire: [2, 'ms'],
  expireat: [2, 's at'],
  pexpireat: [2, 'ms at'],
}

const options: Readonly<Record<string, Unit>> = { ex: 's', px: 'ms', exat: 's at', pxat: 'ms at' }

type Unit = 's' | 'ms' | 's at' | 'ms at'

/** Milliseconds after which what a command wrote expires, as far as the command says. */
export function readTtl(name: string, request: Request): number | undefined {
  const place = Object.hasOwn(atPlace, name) ? atPlace[name] : undefined
  if (place !== undefined) return inMilliseconds(request[place[0]], place[1])
  if (name !== 'set' && name !== 'getex') return undefined
  for (let at = name === 'set' ? 3 : 2; at + 1 < request.length; at++) {
    const option = request[at]!.toString('latin1').toLowerCase()
    if (Object.hasOwn(options, option)) return inMilliseconds(request[at + 1], options[option]!)
  }
  return undefined
}

function inMilliseconds(argument: Buffer | undefined, unit: Unit): number | undefined {
  const number = Number(argument?.toString('latin1'))
  if (argument === undefined || !Number.isFinite(number)) return undefined
  const milliseconds = unit.startsWith('ms') ? number : number * 1000
  return unit.endsWith('at') ? milliseconds - Date.now() : milliseconds
}
