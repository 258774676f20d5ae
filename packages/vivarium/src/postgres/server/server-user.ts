import { execFileSync } from 'node:child_process'
import { accessSync, constants, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { VivariumError } from '../../core/errors.ts'

/** The user that the server's processes run as where that is not the user of this process. */
export interface ServerUser {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** Options of {@link findServerUser}. */
export interface FindServerUserOptions {
  /** @default the effective uid of this process */
  uid?: number
  /** Names tried in order. @default `postgres`, `_postgres`, `nobody` */
  names?: readonly string[]
}

/**
 * Postgres refuses to run as root: finds another user that exists. `undefined` when this process is not root's.
 *
 * @throws VivariumError SERVER_USER_MISSING when root has no other user to use.
 */
export function findServerUser(options: FindServerUserOptions = {}): ServerUser | undefined {
  const uid = options.uid ?? process.geteuid?.()
  if (uid !== 0) return undefined
  const names = options.names ?? ['postgres', '_postgres', 'nobody']
  const users = readPasswd()
  for (const name of names) {
    const user = users.get(name) ?? askId(name)
    if (user !== undefined && user.uid !== 0) return user
  }
  throw new VivariumError('SERVER_USER_MISSING', {
    what: 'Postgres does not run as root, and no other user was found to run it as.',
    seen: `none of these users exists: ${names.join(', ')}`,
    remedy:
      'Add a user named "postgres" (useradd --system postgres), run the tests as an ordinary user, or name a running server in VIVARIUM_POSTGRES_URL.',
  })
}

function readPasswd(): Map<string, ServerUser> {
  const users = new Map<string, ServerUser>()
  let text: string
  try {
    text = readFileSync('/etc/passwd', 'utf8')
  } catch {
    return users
  }
  for (const line of text.split('\n')) {
    const [name, , uid, gid] = line.split(':')
    // macOS writes nobody's ids as -2; the kernel counts unsigned.
    if (name && uid && gid && !users.has(name))
      users.set(name, { name, uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 })
  }
  return users
}

/** Users of a directory service are not in /etc/passwd. */
function askId(name: string): ServerUser | undefined {
  const ask = (flag: string): number =>
    Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  try {
    return { name, uid: ask('-u'), gid: ask('-g') }
  } catch {
    return undefined
  }
}

/** Whether `user` (`undefined`: this process) can reach `path` through all its folders and read or execute it. */
export function canReach(path: string, user: ServerUser | undefined, need: 'read' | 'execute'): boolean {
  try {
    if (user === undefined) {
      accessSync(path, need === 'read' ? constants.R_OK : constants.X_OK)
      return true
    }
    let place = realpathSync(path)
    if (!isAllowed(place, user, need)) return false
    for (let parent = dirname(place); parent !== place; parent = dirname(place)) {
      place = parent
      if (!isAllowed(place, user, 'execute')) return false
    }
    return true
  } catch {
    return false
  }
}

function isAllowed(path: string, user: ServerUser, need: 'read' | 'execute'): boolean {
  const { mode, uid, gid } = statSync(path)
  const bit = need === 'read' ? 4 : 1
  const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0
  return ((mode >> shift) & bit) !== 0
}
