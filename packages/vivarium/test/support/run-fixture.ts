import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'

/** A program of `fixtures/` in a process of its own. */
export interface RunningFixture {
  readonly process: ChildProcess
  /** Resolves with the next line that it prints; rejects when it ends without one. */
  nextLine(): Promise<string>
  /** Resolves when it has ended. */
  readonly ended: Promise<{ code: number | null; output: string; errors: string }>
}

export function runFixture(name: string, ...args: string[]): RunningFixture {
  const file = join(import.meta.dirname, 'fixtures', name)
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  let read = 0
  let wake = (): void => undefined
  let isOver = false
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
    wake()
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk
  })
  const ended = new Promise<{ code: number | null; output: string; errors: string }>((resolve) => {
    child.once('close', (code) => {
      isOver = true
      wake()
      resolve({ code, output, errors })
    })
  })
  const nextLine = async (): Promise<string> => {
    for (;;) {
      const end = output.indexOf('\n', read)
      if (end !== -1) {
        const line = output.slice(read, end)
        read = end + 1
        return line
      }
      if (isOver) throw new Error(`${name} ended: ${errors}`)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return { process: child, nextLine, ended }
}
