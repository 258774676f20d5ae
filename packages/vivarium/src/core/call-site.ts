import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A place in a user's code. Its text is made when it is read: most are never shown. */
export interface CallSite {
  /** `file:line:column`, relative to the working folder. */
  readonly text: string
  /** The lines of a stack trace that begin there: for an error that is about this place. */
  readonly frames: string
}

/** The place from which `called` was called. */
export function callSiteOf(called: (...args: never[]) => unknown): CallSite {
  const at: { stack?: string } = {}
  Error.captureStackTrace(at, called)
  const frames = (): readonly string[] => (at.stack ?? '').split('\n').filter((line) => /^\s*at /.test(line))
  return {
    get text() {
      return shortened(/\(?([^\s()]+:\d+:\d+)\)?$/.exec(frames()[0] ?? '')?.[1])
    },
    get frames() {
      return frames().join('\n')
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
