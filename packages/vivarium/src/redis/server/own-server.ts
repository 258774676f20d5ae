import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { nextTurn, now, realSetTimeout, withDeadline } from '../../core/clock.ts'
import { VivariumError } from '../../core/errors.ts'
import { findFreePort } from '../../machine/free-port.ts'
import { openRedisClient } from '../connection/client.ts'
import type { RedisTarget } from '../connection/target.ts'
import { findRedisBinary } from './find-binary.ts'
import type { RedisServer } from './redis-server.ts'
import { createRedisFolder, type RedisRunFolder, sweepRedisFolders } from './run-folder.ts'

/** Options of {@link startRedisServer}. */
export interface StartRedisServerOptions {
  /** @default what is on the PATH */
  binary?: string
  /** Milliseconds that it may take to answer. @default 10_000 */
  deadlineMs?: number
  pickPort?: () => Promise<number>
  /** How many logical databases it has. @default 16 */
  databases?: number
}

// The server is this shell's child. The shell's input ends when its owner closes it or dies in any way whatever: then it ends the
// server and removes the folder. It stops waiting when the server has ended by itself.
const script = `
folder=$1; shift
trap '' HUP INT TERM
cd "$folder" || exit 1
"$@" </dev/null >>server.log 2>&1 &
server=$!
echo "$server" >server.pid
exec 3<&0
(while read -r _; do :; done; kill -KILL "$server" 2>/dev/null) <&3 &
wait "$server"
code=$?
kill -KILL $! 2>/dev/null
if [ "$code" -eq 137 ]; then cd /; rm -rf "$folder"; fi
exit "$code"
`

const portAttempts = 5

/**
 * Starts a server of our own: on a free port of 127.0.0.1 and a unix socket, with a password, nothing on disk. It ends with
 * `close()`, and with this process however that ends.
 *
 * @throws VivariumError REDIS_NOT_FOUND, SERVER_START_FAILED, SERVER_START_TIMEOUT, SERVER_PORT_TAKEN
 */
export async function startRedisServer(options: StartRedisServerOptions = {}): Promise<RedisServer> {
  const binary = options.binary ?? findRedisBinary()
  sweepRedisFolders()
  const tried: number[] = []
  for (let attempt = 0; attempt < portAttempts; attempt++) {
    const port = await (options.pickPort ?? findFreePort)()
    tried.push(port)
    const server = await launch(binary, port, options)
    if (server !== undefined) return server
  }
  throw new VivariumError('SERVER_PORT_TAKEN', {
    what: 'The Redis server found no free TCP port on 127.0.0.1.',
    seen: `ports tried: ${tried.join(', ')}, each taken by another process`,
    remedy: 'See what holds the ports of this machine (ss -tlnp), then run again.',
  })
}

/** `undefined` when the port had been taken meanwhile. */
async function launch(
  binary: string,
  port: number,
  { deadlineMs = 10_000, databases = 16 }: StartRedisServerOptions,
): Promise<RedisServer | undefined> {
  const run = createRedisFolder()
  const password = randomBytes(18).toString('base64url')
  const settings: readonly (readonly string[])[] = [
    ['--port', String(port)],
    ['--bind', '127.0.0.1'],
    ['--unixsocket', run.socket],
    ['--unixsocketperm', '700'],
    ['--requirepass', password],
    ['--databases', String(databases)],
    ['--dir', run.path],
    ['--save', ''],
    ['--appendonly', 'no'],
    ['--daemonize', 'no'],
  ]
  const child = spawn('/bin/sh', ['-c', script, 'vivarium-redis', run.path, binary, ...settings.flat()], {
    cwd: '/',
    // Ctrl-C is for the run; it ends the server.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`))
    child.once('error', (error) => resolve(error.message))
  })
  child.stdin?.on('error', () => undefined)
  child.unref()
  ;(child.stdin as unknown as { unref(): void }).unref()
  const target: RedisTarget = { host: '127.0.0.1', port, path: run.socket, password, database: 0 }
  let state: 'starting' | 'running' | 'closed' = 'starting'
  const close = async (): Promise<void> => {
    state = 'closed'
    await end(child, exited, run)
  }
  try {
    const failure = await waitUntilReady(target, exited, deadlineMs)
    if (failure === undefined) {
      state = 'running'
      const lost = exited.then((how) => {
        if (state === 'closed') return new Promise<Error>(() => undefined)
        return serverDied(how, run)
      })
      return { kind: 'own', target, url: `redis://:${password}@127.0.0.1:${port}`, lost, close }
    }
    const log = readLog(run)
    if (log.includes('Address already in use')) {
      await close()
      return undefined
    }
    throw new VivariumError(failure.code, {
      what: `${binary} did not start.`,
      seen: `${failure.seen}; the end of its log:\n    ${log}`,
      remedy: 'See its log. Or name a running server in VIVARIUM_REDIS_URL.',
    })
  } catch (error) {
    await close()
    throw error
  }
}

interface StartFailure {
  readonly code: 'SERVER_START_FAILED' | 'SERVER_START_TIMEOUT'
  readonly seen: string
}

async function waitUntilReady(
  target: RedisTarget,
  exited: Promise<string>,
  deadlineMs: number,
): Promise<StartFailure | undefined> {
  let ended: string | undefined
  void exited.then((how) => {
    ended = how
  })
  const end = now() + deadlineMs
  for (;;) {
    const client = await openRedisClient(target).catch(() => undefined)
    if (client !== undefined) {
      await client.close()
      return undefined
    }
    await nextTurn()
    if (ended !== undefined) return { code: 'SERVER_START_FAILED', seen: ended }
    if (now() > end) return { code: 'SERVER_START_TIMEOUT', seen: `it did not answer within ${deadlineMs} ms` }
    // The server tells nobody when it listens: its socket is asked for again.
    await new Promise((resolve) => realSetTimeout(resolve, 5))
  }
}

async function end(child: ChildProcess, exited: Promise<string>, run: RedisRunFolder): Promise<void> {
  child.ref()
  child.stdin?.end()
  await withDeadline(exited, 5000, () => new Error('late')).catch(() => child.kill('SIGKILL'))
  child.unref()
  rmSync(run.path, { recursive: true, force: true })
}

function serverDied(how: string, run: RedisRunFolder): VivariumError {
  return new VivariumError('SERVER_DIED', {
    what: 'The Redis server that Vivarium had started ended while it was in use.',
    seen: `${how}; the end of its log:\n    ${readLog(run)}`,
    remedy:
      'Run again. If it happens again, see whether memory ran out, or name a running server in VIVARIUM_REDIS_URL.',
  })
}

function readLog({ log }: RedisRunFolder): string {
  try {
    return readFileSync(log, 'utf8').trim().split('\n').slice(-8).join('\n    ')
  } catch {
    return 'it has none'
  }
}
