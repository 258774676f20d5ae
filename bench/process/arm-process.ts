import type { OpenArm } from '../arms/arm.ts'
import { arms } from '../arms/index.ts'
import type { ArmAnswer, ArmRequest } from './messages.ts'

// The process of one arm: it does what it is told over the channel, and ends with its parent.
let open: OpenArm | undefined

async function answer(request: ArmRequest): Promise<ArmAnswer> {
  switch (request.kind) {
    case 'open': {
      const openArm = await arms[request.arm]()
      open = await openArm(request.context)
      return { kind: 'opened', serverUrl: open.serverUrl, operations: Object.keys(open.measures) as never[] }
    }
    case 'measure': {
      const measure = open?.measures[request.operation]
      if (measure === undefined) throw new Error(`This arm does not measure '${request.operation}'`)
      return { kind: 'measured', ms: await measure(request.count) }
    }
    case 'close':
      await close()
      return { kind: 'closed' }
  }
}

async function close(): Promise<void> {
  const closing = open
  open = undefined
  await closing?.close()
}

process.on('message', (request: ArmRequest) => {
  void answer(request)
    .catch((error: unknown): ArmAnswer => ({
      kind: 'failed',
      message: error instanceof Error ? error.message : String(error),
    }))
    .then((message) => process.send?.(message))
})
process.on('disconnect', () => {
  void close().finally(() => process.exit())
})
