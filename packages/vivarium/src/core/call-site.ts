import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A place in a user's code. Its text is made when it is read: most are never shown. */
export interface CallSite {
  /** `file:line:column`, relative to the working folder. */
  readonly text: string
}

/** The place from which `called` was called. */
export function callSiteOf(called: (...args: never[]) => unknown): CallSite {
  const at: { stack?: string } = {}
  Error.captureStackTrace(at, called)
  return {
    get text() {
      const frame = at.stack?.split('\n').find((line) => /^\s*at /.test(line)) ?? ''
      return shortened(/\(?([^\s()]+:\d+:\d+)\)?$/.exec(frame)?.[1])
    },
  }
}

function shortened(place: string | undefined): string {
  if (place === undefined) return 'an unknown place'
  const [, file = place, position = ''] = /^(.*?)(:\d+:\d+)$/.exec(place) ?? []
  const path = file.startsWith('file:') ? fileURLToPath(file) : file
  const near = relative(process.cwd(), path)
  // Outside the working folder the way up tells less than the path itself.
  return `${near.startsWith('..') ? path : near}${position}`
}
