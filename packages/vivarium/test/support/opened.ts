import { afterAll, afterEach, beforeAll } from 'vitest'
import type { Sandbox, Vivarium } from '../../src/index.ts'

/** The part of a vivarium that tests use. */
export type OpenedVivarium = Pick<Vivarium, 'postgres' | 'mail' | 'openSandbox' | 'describe'>

/** One vivarium for the test file. What a failed test left open is closed before the next test. */
export function useOpened(openOne: () => Promise<Vivarium>): OpenedVivarium {
  let vivarium: Vivarium | undefined
  const open = new Set<Sandbox>()
  const opened = (): Vivarium => {
    if (vivarium === undefined) throw new Error('the vivarium is not open yet')
    return vivarium
  }
  beforeAll(async () => {
    vivarium = await openOne()
  })
  afterEach(async () => {
    const left = [...open]
    open.clear()
    await Promise.all(left.map((sandbox) => sandbox.close().catch(() => undefined)))
  })
  afterAll(() => vivarium?.close())
  return {
    get postgres() {
      return opened().postgres
    },
    get mail() {
      return opened().mail
    },
    describe: () => opened().describe(),
    openSandbox: async (options) => {
      const sandbox = await opened().openSandbox(options)
      open.add(sandbox)
      return sandbox
    },
  }
}
