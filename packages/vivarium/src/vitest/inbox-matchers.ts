import type { Inboxes, InboxMatcherContext, InboxMatcherResult } from '../pubsub/matchers.ts'

type InboxMatcher = (
  this: InboxMatcherContext,
  inboxes: Inboxes,
  ...said: readonly unknown[]
) => Promise<InboxMatcherResult>

/** The inbox matchers, loaded by the first that is used: a test without an inbox does not pay for them. */
export const inboxMatchers: Readonly<Record<'toReceive' | 'toReceiveNothing' | 'toReceiveInOrder', InboxMatcher>> = {
  toReceive: loaded('toReceive'),
  toReceiveNothing: loaded('toReceiveNothing'),
  toReceiveInOrder: loaded('toReceiveInOrder'),
}

function loaded(name: keyof typeof inboxMatchers): InboxMatcher {
  return async function (inboxes, ...said) {
    const pubsub = await import('../pubsub/index.ts')
    return (pubsub.inboxMatchers[name] as InboxMatcher).call(this, inboxes, ...said)
  }
}
