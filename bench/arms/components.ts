import { openVivarium } from 'vivarium'
import { defineMock } from 'vivarium/mock'
import { timed } from './arm.ts'
import type { ArmContext, OpenArm } from './arm.ts'
import { required } from './arm.ts'

interface Clock {
  now(): number
}

/** Two vivariums in one process: one with Postgres alone, one with a mail server, interception of HTTP and a mock beside it that no test uses. */
export async function openComponentsArm(context: ArmContext): Promise<OpenArm> {
  const postgres = {
    url: required(context, 'serverUrl'),
    ...(context.migrations && { migrations: context.migrations }),
  }
  const alone = await openVivarium({ postgres })
  const together = await openVivarium({ postgres, mail: {}, http: {} })
  defineMock<Clock>('Clock')
  const emptyTest = (vivarium: typeof alone) => async (): Promise<void> => {
    const sandbox = await vivarium.openSandbox()
    await sandbox.close()
  }
  return {
    measures: {
      'empty test': (count) => timed(count, emptyTest(alone)),
      'empty test beside components': (count) => timed(count, emptyTest(together)),
    },
    close: async () => {
      await together.close()
      await alone.close()
    },
  }
}
