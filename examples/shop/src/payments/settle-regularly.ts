import type { Report } from '../report.ts'
import type { Payments } from './payments.ts'

export interface SettleRegularlyOptions {
  readonly payments: Pick<Payments, 'settleAttempts'>
  readonly report: Report
  /** Milliseconds from the end of one time to the next. @default a minute */
  readonly everyMs?: number
}

/** Calls `settleAttempts` from time to time, for as long as the shop runs; `stop` waits for the one under way. */
export function settleRegularly(options: SettleRegularlyOptions): { stop(): Promise<void> } {
  const { payments, report, everyMs = 60_000 } = options
  let underWay: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  let isStopped = false

  function settleLater(): void {
    if (isStopped) return
    timer = setTimeout(() => {
      underWay = settle().finally(settleLater)
    }, everyMs).unref()
  }

  async function settle(): Promise<void> {
    try {
      await payments.settleAttempts()
    } catch (error) {
      report('Payment attempts could not be settled', error)
    }
  }

  settleLater()
  return {
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await underWay
    },
  }
}
