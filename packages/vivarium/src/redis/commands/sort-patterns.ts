import type { Request } from '../protocol/request-parser.ts'

export function isSort(name: string): boolean {
  return name === 'sort' || name === 'sort_ro'
}

/** Positions of the keys and key patterns in the options of a SORT, which the server does not tell. */
export function findSortKeys(request: Request): readonly number[] {
  const positions: number[] = []
  for (let at = 2; at < request.length; at++) {
    switch (request[at]!.toString('latin1').toLowerCase()) {
      case 'limit':
        at += 2
        break
      case 'store':
        positions.push(++at)
        break
      case 'by':
        // Without an asterisk it names no key: elements are not sorted then.
        if (request[++at]?.includes('*') === true) positions.push(at)
        break
      case 'get':
        // `#` is the element itself.
        if (request[++at]?.toString('latin1') !== '#') positions.push(at)
        break
      default:
    }
  }
  return positions.filter((position) => position < request.length)
}
