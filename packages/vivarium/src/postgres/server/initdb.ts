import { execFile } from 'node:child_process'
import { VivariumError } from '../../core/errors.ts'
import type { Binaries } from './binaries.ts'
import { initdbArguments } from './cluster-settings.ts'
import { serverEnvironment } from './postmaster.ts'
import { spaceExhausted } from './run-folder.ts'
import type { RunFolder } from './run-folder.ts'
import type { ServerUser } from './server-user.ts'

interface InitdbOutcome {
  readonly failed: Error | undefined
  readonly output: string
}

/** Makes a fresh cluster in the run's data folder. @throws VivariumError SERVER_START_FAILED, SERVER_SPACE_EXHAUSTED */
export async function initializeCluster(
  binaries: Binaries,
  run: RunFolder,
  options: { user: ServerUser | undefined; deadlineMs: number },
): Promise<void> {
  // Character classes of full-text search come from LC_CTYPE; macOS has no C.UTF-8, and some small images only C.
  const ctypes = process.platform === 'darwin' ? ['en_US.UTF-8', 'C'] : ['C.UTF-8', 'en_US.UTF-8', 'C']
  let outcome: InitdbOutcome | undefined
  for (const ctype of ctypes) {
    outcome = await runInitdb(binaries, run, { ...options, ctype })
    if (outcome.failed === undefined) return
    if (!/invalid locale/.test(outcome.output)) break
  }
  const seen = `${outcome?.failed?.message.split('\n')[0] ?? ''}\n    ${outcome?.output.trim().split('\n').slice(-8).join('\n    ')}`
  if (/No space left on device|Disk quota exceeded/.test(seen)) throw spaceExhausted(seen, outcome?.failed)
  throw new VivariumError('SERVER_START_FAILED', {
    what: 'initdb could not make a new PostgreSQL cluster.',
    seen,
    remedy:
      'See what it says. The packaged binaries need glibc (not the musl of Alpine); where they cannot run, name a running server in VIVARIUM_POSTGRES_URL.',
    cause: outcome?.failed,
  })
}

function runInitdb(
  binaries: Binaries,
  run: RunFolder,
  options: { user: ServerUser | undefined; deadlineMs: number; ctype: string },
): Promise<InitdbOutcome> {
  const { user, deadlineMs, ctype } = options
  return new Promise((resolve) => {
    execFile(
      binaries.initdb,
      initdbArguments(run.data, binaries.major, ctype),
      {
        cwd: run.path,
        env: { ...serverEnvironment },
        timeout: Math.max(deadlineMs, 60_000),
        ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
      },
      (error, stdout, stderr) => resolve({ failed: error ?? undefined, output: `${stdout}${stderr}` }),
    )
  })
}
