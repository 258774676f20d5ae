import type { ObservedCall, ObservedCommand, ObservedMail, ObservedQuery, ObservedRequest } from './interactions.ts'

/** A statement as a fault is matched with it. */
export type FaultedStatement = Pick<ObservedQuery, 'text' | 'params' | 'connection'>
/** A Redis command as a fault is matched with it. */
export type FaultedCommand = Pick<ObservedCommand, 'command' | 'args' | 'keys'>
/** A request as a fault is matched with it. */
export type FaultedRequest = Pick<ObservedRequest, 'service' | 'method' | 'url' | 'headers'>
/** A mail as a fault is matched with it: it is here as a whole, and not answered yet. */
export type FaultedMail = Omit<ObservedMail, 'component' | 'at' | 'fault'>
/** A call of a double as a fault is matched with it. */
export type FaultedCall = Pick<ObservedCall, 'mock' | 'fn' | 'args'>
