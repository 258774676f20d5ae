/** What a fault does: the component answers with an error of its own, answers nothing, or the connection ends. */
export type FaultKind = 'fails' | 'timesOut' | 'losesConnection'

/** Whether what was broken never took effect, or took effect and nobody heard of it. */
export type FaultMoment = 'before' | 'after'

/** What an interaction says of the fault that broke it. */
export interface InjectedFault {
  readonly kind: FaultKind
  readonly moment: FaultMoment
  /** Where the test set it: `file:line:column`. */
  readonly setAt: string
}

/** `lost its connection after it took effect`: what became of something that a fault has broken. */
export function describeFault({ kind, moment }: Pick<InjectedFault, 'kind' | 'moment'>): string {
  if (kind === 'fails') return moment === 'before' ? 'failed' : 'failed after it took effect'
  const what = kind === 'timesOut' ? 'was not answered' : 'lost its connection'
  return `${what} ${moment === 'before' ? 'before' : 'after'} it took effect`
}
