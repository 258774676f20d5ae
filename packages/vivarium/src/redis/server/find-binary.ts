import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { VivariumError } from '../../core/errors.ts'

const names: readonly string[] = ['redis-server', 'valkey-server']
// What an editor that was not started from a terminal lacks on its PATH on macOS.
const homebrew: readonly string[] = ['/opt/homebrew/bin', '/usr/local/bin']

/**
 * The server on the PATH.
 *
 * @throws VivariumError REDIS_NOT_FOUND
 */
export function findRedisBinary(path: string = process.env['PATH'] ?? '', more: readonly string[] = homebrew): string {
  const folders = [...path.split(delimiter).filter((folder) => folder !== ''), ...more]
  for (const name of names) {
    for (const folder of folders) if (isExecutable(join(folder, name))) return join(folder, name)
  }
  throw new VivariumError('REDIS_NOT_FOUND', {
    what: 'There is no Redis server: none was named, and none is installed that could be started.',
    seen: `no ${names.join(' and no ')} on the PATH`,
    remedy:
      'Install one (`apt-get install redis-server`, `brew install redis` or valkey), or name a running one in VIVARIUM_REDIS_URL or ' +
      '`redis.url`: any database of it will do, nothing in it is changed. Or leave `redis` out of the configuration.',
  })
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
