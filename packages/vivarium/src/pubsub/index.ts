/**
 * Pub/sub: inboxes on whatever delivers messages, and matchers that await what arrives in them.
 *
 * @module
 */
export { openInbox } from './open-inbox.ts'
export type { Inbox, NextMessageOptions, OpenInboxOptions } from './inbox.ts'
export type { Decode } from './decode.ts'
export { fromEmitter, fromEventTarget } from './emitter-source.ts'
export type { EmitterLike, EventTargetLike } from './emitter-source.ts'
export { fromIterable } from './iterable-source.ts'
export type { IterableSourceOptions } from './iterable-source.ts'
export { fromEventStream } from './event-stream-source.ts'
export type { EventStream, EventStreamResponse } from './event-stream-source.ts'
export type { ReadableValues, ValueStreamReader } from './read-values.ts'
export { inboxMatchers } from './matchers.ts'
export type { Inboxes, InboxMatcherContext, InboxMatcherResult } from './matchers.ts'
export type { ReceiveInOrderOptions, ReceiveNothingOptions, ReceiveOptions } from './matcher-options.ts'
export type { MessageExpectation, MessagePredicate, TopicPattern } from './message-pattern.ts'
export type {
  ArrivedMessage,
  MessageReceiver,
  MessageSource,
  SourceEnd,
  SourceSandbox,
} from '../core/message-source.ts'
export type { ObservedMessage } from '../core/interactions.ts'
