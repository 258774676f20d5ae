import { type EventFlags, tellsOf } from '../commands/key-events.ts'

/**
 * A sandbox's notify-keyspace-events: the server has one for all, of which each hears what it has asked for. One that has asked for
 * nothing has what the sandbox around it has, in the end what was said outside of sandboxes, or what the server says.
 */
export class EventSetting {
  readonly #around: () => EventSetting | undefined
  #flags: EventFlags | undefined

  constructor(around: () => EventSetting | undefined, flags?: EventFlags) {
    this.#around = around
    this.#flags = flags
  }

  /** `undefined`: as the server has it. */
  get flags(): EventFlags | undefined {
    return this.#flags ?? this.#around()?.flags
  }

  set(flags: EventFlags): void {
    this.#flags = flags
  }

  hears(channel: 'K' | 'E', event: string): boolean {
    const { flags } = this
    return flags === undefined || tellsOf(flags, channel, event)
  }
}
