import { rmSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder that is gone when it is closed, and at the latest when this process ends. */
export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string
}

/** Makes a folder that a server under another user can reach too. */
export async function openTemporaryFolder(purpose: string): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), `vivarium-bench-${purpose}-`))
  const onExit = (): void => rmSync(path, { recursive: true, force: true })
  process.once('exit', onExit)
  await chmod(path, 0o755)
  return {
    path,
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true })
      process.off('exit', onExit)
    },
  }
}
