import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { withDeadline } from '../../core/clock.ts'
import { VivariumError } from '../../core/errors.ts'
import type { RunFolder } from './run-folder.ts'
import type { ServerUser } from './server-user.ts'

// It waits for the end of its input, which comes when its owner closes it or dies in any way whatever; then it ends the
// server of the run folder and removes the folder. In a loop, because a server may just be starting.
const script = `
folder=$1
trap '' HUP INT TERM
while read -r _; do :; done
is_server() {
  if [ -e /proc/self/stat ]; then [ "$(readlink "/proc/$1/cwd")" = "$folder/data" ]
  else case "$(ps -o command= -p "$1")" in *"$folder/data"*) true ;; *) false ;; esac
  fi
}
tries=0
while [ -d "$folder" ] && [ $tries -lt 200 ]; do
  pid=
  [ -f "$folder/data/postmaster.pid" ] && read -r pid < "$folder/data/postmaster.pid"
  if [ -n "$pid" ] && is_server "$pid"; then
    if [ $tries -lt 100 ]; then kill -QUIT "$pid"; else kill -KILL "$pid"; fi
  else
    rm -rf "$folder"
  fi
  tries=$((tries + 1))
  [ -d "$folder" ] && { sleep 0.05 || sleep 1; }
done
exit 0
`

/** Ends the server of a run folder and removes the folder when this process has gone. */
export interface Watchdog {
  readonly pid: number | undefined
  /** Lets it go: call this when the run folder has been removed, or to have it removed. Resolves when it has ended. */
  release(): Promise<void>
}

/** Starts the watchdog of a run folder: a shell in a session of its own, so that Ctrl-C does not reach it. */
export async function startWatchdog(run: RunFolder, user: ServerUser | undefined): Promise<Watchdog> {
  const child = spawn('/bin/sh', ['-c', script, 'vivarium-watchdog', run.path], {
    cwd: '/',
    detached: true,
    // It needs rm, sleep and readlink even where a test has a PATH with nothing on it.
    env: { PATH: `/usr/local/bin:/usr/bin:/bin:${process.env['PATH'] ?? ''}`, LC_ALL: 'C' },
    stdio: ['pipe', 'ignore', 'ignore'],
    ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
  })
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  child.stdin.on('error', () => {
    // It was killed; the next run cleans up after us then.
  })
  try {
    await once(child, 'spawn')
  } catch (cause) {
    throw new VivariumError('SERVER_USER_MISSING', {
      what: `A process could not be started${user === undefined ? '' : ` as user "${user.name}"`}.`,
      seen: (cause as Error).message,
      remedy: 'Run the tests as an ordinary user, or name a running server in VIVARIUM_POSTGRES_URL.',
      cause,
    })
  }
  child.unref()
  // A pipe is a net.Socket; it must not keep its owner alive.
  ;(child.stdin as unknown as { unref(): void }).unref()
  return {
    pid: child.pid,
    release: async () => {
      child.ref()
      child.stdin.end()
      await withDeadline(exited, 15_000, () => new Error(`the watchdog of ${run.path} did not end`)).catch(() => {
        child.kill('SIGKILL')
      })
      child.unref()
    },
  }
}
