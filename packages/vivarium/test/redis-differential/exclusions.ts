/** Where the two sides may differ: the command, what of its reply, and why. One that no command needs fails the test. */
export interface Exclusion {
  /** The step as it stands in the scripts. */
  readonly step: string
  readonly field: string
  readonly why: string
  /** Takes the field out of a reply's JSON. */
  readonly without: (json: string) => string
}

const why = 'a server numbers its connections, and the gateway has one of its own beside the clients'
const withoutId = (json: string): string => json.replace(/"id",\d+/, '"id"')

export const exclusions: readonly Exclusion[] = [
  { step: 'HELLO 3', field: 'id', why, without: withoutId },
  { step: 'HELLO 2', field: 'id', why, without: withoutId },
  {
    step: 'MEMORY USAGE a',
    field: 'bytes',
    why: 'the prefix is part of the key, and takes memory',
    without: (json) => json.replace(/^\d+$/, 'bytes'),
  },
  {
    step: '2<< moved',
    field: 'key events of MOVE',
    why: "a sandbox's databases are one of the server's: there MOVE is a RENAME",
    without: (json) => json.replaceAll(/(move|rename)_(?=from|to)/g, ''),
  },
  {
    step: '2<< flushed',
    field: 'key events of FLUSHDB',
    why: 'a server that is flushed tells of no key, and what is of one sandbox on it is deleted key by key',
    without: (json) =>
      JSON.stringify(
        (JSON.parse(json) as (string[] | { push: string[] })[]).filter((message) => {
          const [, , channel, payload] = Array.isArray(message) ? message : message.push
          return !`${channel} ${payload}`.match(/@0__:(?:del |.* del$)/)
        }),
      ),
  },
]
