import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'

/** What a psql that has ended left. */
export interface PsqlResult {
  /** 0 well, 1 its own failure, 2 the connection lost, 3 an error with ON_ERROR_STOP. */
  readonly code: number
  readonly output: string
  readonly errors: string
}

// No start-up file, no alignment, tuples only, fields between commas; errors by their SQLSTATE.
const plain = ['--no-psqlrc', '--quiet', '--no-align', '--tuples-only', '--field-separator=,']

/** `psql (PostgreSQL) 15.20 …`, or nothing where there is no psql. */
export async function psqlVersion(): Promise<string | undefined> {
  const result = await new Psql(['--version']).end().catch(() => undefined)
  return result === undefined ? undefined : /\d+(\.\d+)*/.exec(result.output)?.[0]
}

/** Runs one psql to its end: `input` is its script, on standard input unless `args` say otherwise. */
export function runPsql(url: string, input: string, args: readonly string[] = []): Promise<PsqlResult> {
  const psql = new Psql([...plain, ...args, url])
  psql.write(input)
  return psql.end()
}

/** One psql that is still running. It is killed when it does not end in time, so that nothing here can hang. */
export class Psql {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #ended: Promise<PsqlResult>
  #output = ''
  #errors = ''
  #arrived = (): void => undefined

  /** @param deadlineMs it is killed after that many milliseconds */
  constructor(args: readonly string[], deadlineMs: number = 20_000) {
    this.#process = spawn('psql', args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, PGCONNECT_TIMEOUT: '10' },
    })
    const deadline = setTimeout(() => this.#process.kill('SIGKILL'), deadlineMs)
    this.#process.stdout.on('data', (chunk: Buffer) => {
      this.#output += chunk.toString()
      this.#arrived()
    })
    this.#process.stderr.on('data', (chunk: Buffer) => {
      this.#errors += chunk.toString()
      this.#arrived()
    })
    // A psql that ends early closes its input; how it ended is what counts.
    this.#process.stdin.on('error', () => undefined)
    this.#ended = new Promise<PsqlResult>((resolve, reject) => {
      this.#process.once('error', reject)
      this.#process.once('close', (code, signal) => {
        clearTimeout(deadline)
        this.#arrived()
        if (signal === null)
          resolve({ code: code ?? 1, output: this.#output.trimEnd(), errors: this.#errors.trimEnd() })
        else reject(new Error(`psql was ended by ${signal}; it had written: ${this.#output}${this.#errors}`))
      })
    })
    // Whoever awaits the end hears of it.
    this.#ended.catch(() => undefined)
  }

  /** Opens a psql that reads what is written to it. */
  static open(url: string, deadlineMs?: number): Psql {
    return new Psql([...plain, url], deadlineMs)
  }

  write(text: string): void {
    this.#process.stdin.write(text)
  }

  /** Waits until this stands in what psql has written to either of its outputs. */
  async until(text: string): Promise<void> {
    let isOver = false
    const over = this.#ended.then(
      () => (isOver = true),
      () => (isOver = true),
    )
    while (!`${this.#output}\n${this.#errors}`.includes(text)) {
      if (isOver) throw new Error(`psql ended without writing "${text}": ${this.#output}${this.#errors}`)
      await Promise.race([
        over,
        new Promise<void>((resolve) => {
          this.#arrived = resolve
        }),
      ])
    }
  }

  /** Control-C. */
  interrupt(): void {
    this.#process.kill('SIGINT')
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }

  /** Closes its input and waits for its end. */
  end(): Promise<PsqlResult> {
    this.#process.stdin.end()
    return this.#ended
  }
}
