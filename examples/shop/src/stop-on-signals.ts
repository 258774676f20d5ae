import type { Logger } from './log/logger.ts'

/** A second signal within this many milliseconds is the same one: Ctrl-C comes from the terminal and from npm. */
const sameSignalMs = 1000

/** Stops in good order on SIGTERM and SIGINT, and at once when asked again. A failure that nobody handles ends the process. */
export function stopOnSignals(stop: () => Promise<void>, logger: Logger): void {
  let asked: number | undefined
  const onSignal = (signal: NodeJS.Signals): void => {
    if (asked !== undefined) {
      if (performance.now() - asked > sameSignalMs) process.exit(1)
      return
    }
    asked = performance.now()
    logger.info('signal', { signal })
    stop().then(
      () => process.exit(0),
      (error: Error) => fail('the stop failed', error),
    )
  }
  const fail = (event: string, error: unknown): void => {
    logger.error(event, { error: error instanceof Error ? error : new Error(String(error)) })
    process.exit(1)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  process.on('uncaughtException', (error) => fail('uncaught exception', error))
  process.on('unhandledRejection', (error) => fail('unhandled rejection', error))
}
