import { VivariumError } from '../core/errors.ts'
import type { FaultComponent } from '../core/faults.ts'
import type { FaultKind, FaultMoment } from '../core/injected-fault.ts'
import { indentText } from '../core/wrap-text.ts'

/** One fault of a sweep, and what became of it. */
export interface FaultRunReport {
  /** `the 4th statement, insert into payments …, lost its connection after it took effect` */
  readonly what: string
  readonly component: FaultComponent
  readonly kind: FaultKind
  readonly moment: FaultMoment
  /** `'broke'`: something did not hold that must; `'not reached'`: the work took another course, and nothing was broken. */
  readonly became: 'survived' | 'broke' | 'not reached'
  /** How the work ended: `resolved`, or `rejected` with its error. */
  readonly outcome: string
  /** What did not hold. */
  readonly failures: readonly unknown[]
  readonly durationMs: number
}

/** What {@link everyFault} has found; `String(report)` is for people. */
export class FaultReport {
  /** How many things crossed while the work ran with nothing broken. */
  readonly interactions: number
  readonly faults: readonly FaultRunReport[]

  constructor(interactions: number, faults: readonly FaultRunReport[]) {
    this.interactions = interactions
    this.faults = faults
  }

  /** How often the work ran with something broken. */
  get runs(): number {
    return this.faults.length
  }

  toString(): string {
    const lines = this.faults.map(({ became, what, outcome }) => `  ${became.padEnd(11)}  ${what}: ${outcome}`)
    return [`${this.#summary()}:`, ...lines].join('\n')
  }

  /** The error for those in which something broke. */
  failure(findings: readonly FaultRunReport[]): VivariumError {
    const failures = findings.flatMap(({ failures: own }) => own)
    return new VivariumError('FAULT_NOT_SURVIVED', {
      what: `${this.#summary()}.${findings.map((finding) => `\n  ${explain(finding)}`).join('')}`,
      remedy:
        'Let the application end in a state that holds: one transaction for what belongs together, a way back for what is outside it, an ' +
        'idempotency key where it tries again. Set the one fault by hand (`sandbox.fault`) to look at its course.',
      cause: failures.length === 1 ? failures[0] : new AggregateError(failures, 'What did not hold'),
    })
  }

  #summary(): string {
    const counted = (['survived', 'broke', 'not reached'] as const)
      .map((became) => [became, this.faults.filter((one) => one.became === became).length] as const)
      .filter(([, count]) => count > 0)
      .map(([became, count]) => `${count} ${became}`)
    return `${this.runs} faults in ${this.interactions} interactions: ${counted.join(', ')}`
  }
}

function explain({ what, became, outcome, failures }: FaultRunReport): string {
  if (became === 'not reached') {
    return `when ${what}: never came to it, the work took another course (it ${outcome}). Make it the same in each run, or say { notReached: 'report' }.`
  }
  const said = failures.map((failure) => (failure instanceof Error ? failure.message : String(failure)))
  return `when ${what} (the work ${outcome}):\n${indentText(said.join('\n'), '    ')}`
}
