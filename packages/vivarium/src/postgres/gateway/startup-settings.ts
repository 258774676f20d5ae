import { openBackendConnection } from '../connection/backend-connection.ts'
import { quoteIdentifier, quoteLiteral } from '../connection/client.ts'
import type { ConnectionTarget } from '../connection/target.ts'
import { endsSession, noSettings, withSetting } from './settings.ts'
import type { Settings } from './settings.ts'

const notSettings: ReadonlySet<string> = new Set(['user', 'database', 'options', 'replication'])

/** Reads the settings out of `options`: `-c name=value` and `--name=value`, backslash escapes a space. */
function readOptions(options: string): [string, string][] {
  const words = (options.match(/(?:\\.|\S)+/g) ?? []).map((word) => word.replaceAll(/\\(.)/g, '$1'))
  const settings: [string, string][] = []
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? ''
    let assignment = word
    if (word === '-c') assignment = words[++index] ?? ''
    else if (word.startsWith('-c')) assignment = word.slice(2)
    else if (word.startsWith('--')) assignment = word.slice(2)
    else continue
    const equals = assignment.indexOf('=')
    if (equals > 0) settings.push([assignment.slice(0, equals).replaceAll('-', '_'), assignment.slice(equals + 1)])
  }
  return settings
}

/** What a client's start-up parameters set, as the settings its connection starts from. */
export function startupSettings(parameters: ReadonlyMap<string, string>): Settings {
  let settings = noSettings
  const entries = [...readOptions(parameters.get('options') ?? ''), ...parameters]
  for (const [rawName, value] of entries) {
    const name = rawName.toLowerCase()
    if (notSettings.has(name) || endsSession(name)) continue
    if (name === 'client_encoding' && /^'?utf-?8'?$/i.test(value)) continue
    settings = withSetting(settings, name, setStatement(name, value))
  }
  return settings
}

/** set_config takes a list setting's value as one text, as the start-up packet does. */
function setStatement(name: string, value: string): string {
  if (name === 'search_path' || name.includes('.')) {
    return `SELECT pg_catalog.set_config(${quoteLiteral(name)}, ${quoteLiteral(value)}, false)`
  }
  return `SET ${quoteIdentifier(name)} TO ${quoteLiteral(value)}`
}

/** Settings that cannot be refused and change no other report: the server need not be asked about them. */
const harmless: ReadonlySet<string> = new Set(['application_name'])

/** Calls with a database that may be connected to. */
type WithDatabase = <T>(use: (target: ConnectionTarget) => Promise<T>) => Promise<T>

/**
 * What a server reports to a client with these start-up settings. Asks a real one, once for each set of settings, so
 * that a bad value is refused by the server's own words.
 */
export class LoginReports {
  readonly #withDatabase: WithDatabase
  readonly #base: ReadonlyMap<string, string>
  readonly #known = new Map<string, Promise<ReadonlyMap<string, string>>>()

  constructor(withDatabase: WithDatabase, base: ReadonlyMap<string, string>) {
    this.#withDatabase = withDatabase
    this.#base = base
  }

  /** @throws PostgresServerError what the server answers to such a login. */
  async reportsFor(parameters: ReadonlyMap<string, string>): Promise<Map<string, string>> {
    const asked = [...parameters].filter(([name]) => !['user', 'database', 'replication'].includes(name))
    const unusual = asked.filter(([name, value]) => {
      return !harmless.has(name) && !(name === 'client_encoding' && /^'?utf-?8'?$/i.test(value)) && !endsSession(name)
    })
    const reports = new Map(unusual.length === 0 ? this.#base : await this.#ask(Object.fromEntries(unusual)))
    const applicationName = parameters.get('application_name')
    reports.set('application_name', applicationName ?? '')
    reports.set('default_transaction_read_only', 'off')
    return reports
  }

  #ask(parameters: Record<string, string>): Promise<ReadonlyMap<string, string>> {
    const key = JSON.stringify(parameters)
    let asked = this.#known.get(key)
    if (asked === undefined) {
      asked = this.#withDatabase(async (target) => {
        const connection = await openBackendConnection({ ...target, parameters })
        connection.socket.destroy()
        return connection.parameters
      })
      this.#known.set(key, asked)
      asked.catch(() => this.#known.delete(key))
    }
    return asked
  }
}
