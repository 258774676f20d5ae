import { onOneLine } from '../core/describe-interaction.ts'
import type {
  FaultedCall,
  FaultedCommand,
  FaultedMail,
  FaultedRequest,
  FaultedStatement,
} from '../core/fault-crossings.ts'
import { type FaultComponent, type FaultOrder, ordinal } from '../core/faults.ts'
import { describeFault, type FaultKind, type FaultMoment } from '../core/injected-fault.ts'
import type { Interaction } from '../core/interactions.ts'

/** Something that crossed, as what a fault can be set for: the same comes again when the work runs again. */
export interface Place extends Pick<FaultOrder, 'component' | 'subject' | 'nth' | 'matches'> {
  readonly component: FaultComponent
  /** `the 4th statement, insert into payments …, lost its connection after it took effect` */
  broken(kind: FaultKind, moment: FaultMoment): string
}

/** How one component's interactions are told apart, from one run of the same work to the next. */
interface Naming<Crossing> {
  readonly noun: string
  /** The same for the same step, whatever ids and times the run has made. */
  name(crossing: Crossing): string
}

const namings: Readonly<Record<FaultComponent, Naming<never>>> = {
  postgres: {
    noun: 'statement',
    name: ({ text }: FaultedStatement) => onOneLine(text),
  } satisfies Naming<FaultedStatement>,
  redis: { noun: 'command', name: ({ command }: FaultedCommand) => command } satisfies Naming<FaultedCommand>,
  http: {
    noun: 'request',
    name: ({ service, method, url }: FaultedRequest) => `${method} ${service ?? new URL(url).origin}`,
  } satisfies Naming<FaultedRequest>,
  mail: { noun: 'mail', name: ({ subject }: FaultedMail) => subject } satisfies Naming<FaultedMail>,
  mock: { noun: 'call', name: ({ mock, fn }: FaultedCall) => `${mock}.${fn}` } satisfies Naming<FaultedCall>,
}

/** Everything in a trace that can be broken, in order. */
export function placesOf(interactions: readonly Interaction[]): readonly Place[] {
  const counts = new Map<string, number>()
  const count = (key: string): number => {
    const next = (counts.get(key) ?? 0) + 1
    counts.set(key, next)
    return next
  }
  return interactions.filter(isBreakable).map((interaction) => {
    const { component } = interaction
    const { noun, name: nameOf } = namings[component] as Naming<unknown>
    const name = nameOf(interaction)
    const place = count(component)
    return {
      component,
      subject: `${noun} ${name}`,
      nth: count(`${component} ${name}`),
      matches: (crossing: unknown) => nameOf(crossing) === name,
      broken: (kind, moment) => `the ${ordinal(place)} ${noun}, ${shortened(name)}, ${describeFault({ kind, moment })}`,
    }
  })
}

function isBreakable(interaction: Interaction): interaction is Extract<Interaction, { component: FaultComponent }> {
  return interaction.component in namings
}

const longest = 60

function shortened(text: string): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`
}
