import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ArmContext, Operation } from '../arms/arm.ts'
import type { ArmName } from '../arms/index.ts'
import type { ArmAnswer, ArmRequest } from './messages.ts'

/** An arm in a process of its own, as the benchmark sees it. */
export interface ArmHandle extends AsyncDisposable {
  readonly name: ArmName
  readonly serverUrl: string | undefined
  /** Milliseconds that `count` of the operation took. Rejects when the arm failed or its process ended. */
  measure(operation: Operation, count: number): Promise<number>
  close(): Promise<void>
}

const answerDeadlineMs = 120_000

/** Starts a process for one arm and opens the arm in it. Rejects with the arm's own error. */
export async function openArm(name: ArmName, context: ArmContext): Promise<ArmHandle> {
  const child = fork(fileURLToPath(new URL('./arm-process.ts', import.meta.url)), [], {
    execArgv: process.env['BENCH_CPU_PROFILE'] === name ? ['--import', 'tsx', '--cpu-prof'] : ['--import', 'tsx'],
  })
  try {
    const opened = await ask(name, child, { kind: 'open', arm: name, context })
    if (opened.kind !== 'opened') throw new Error(`The arm '${name}' answered ${opened.kind} instead of opened`)
    const close = closeOnce(name, child)
    return {
      name,
      serverUrl: opened.serverUrl,
      async measure(operation, count) {
        const measured = await ask(name, child, { kind: 'measure', operation, count })
        if (measured.kind !== 'measured') throw new Error(`The arm '${name}' answered ${measured.kind}`)
        return measured.ms
      },
      close,
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}

function closeOnce(name: ArmName, child: ChildProcess): () => Promise<void> {
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    try {
      await ask(name, child, { kind: 'close' })
      child.disconnect()
    } catch (error) {
      child.kill('SIGKILL')
      throw error
    } finally {
      await exited
    }
  }
  return () => (closing ??= close())
}

/** One request, one answer: the benchmark never asks an arm for two things at once. */
function ask(name: ArmName, child: ChildProcess, request: ArmRequest): Promise<ArmAnswer> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer)
      child.off('message', onMessage)
      child.off('exit', onExit)
    }
    const onMessage = (answer: ArmAnswer): void => {
      settle()
      if (answer.kind === 'failed') reject(new Error(`The arm '${name}' failed: ${answer.message}`))
      else resolve(answer)
    }
    const onExit = (code: number | null, signal: string | null): void => {
      settle()
      reject(new Error(`The process of the arm '${name}' ended with ${signal ?? code} during '${request.kind}'`))
    }
    const onDeadline = (): void => {
      settle()
      child.kill('SIGKILL')
      reject(new Error(`The arm '${name}' did not answer '${request.kind}' within ${answerDeadlineMs / 1_000} s`))
    }
    const timer = setTimeout(onDeadline, answerDeadlineMs)
    child.on('message', onMessage)
    child.once('exit', onExit)
    child.send(request)
  })
}
