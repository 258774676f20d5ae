import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect, errorOf, type WireConnection, WireError, type WireTarget } from './wire.ts'

/** A server on which a test may make plain databases: nothing there is sandboxed and commits are real. */
export interface PlainServer {
  /** A role that may create databases, on a database that exists. */
  readonly maintenance: WireTarget
  /** Who owns the databases and logs in to them. */
  readonly role: { readonly user: string; readonly password: string }
}

/** A fresh database made from a template. */
export interface PlainDatabase {
  readonly target: WireTarget
  drop(): Promise<void>
}

/** Runs a statement and fails with the server's words when it fails. */
async function mustRun(connection: WireConnection, text: string): Promise<void> {
  const answers = await connection.query(text, 60_000)
  if (errorOf(answers) !== undefined) throw new WireError(`failed: ${text.slice(0, 80)}`, answers)
}

function uniqueName(kind: string): string {
  return `vivarium_${kind}_${randomBytes(6).toString('hex')}`
}

/** Databases made from one migrated template, for comparisons. */
export class PlainDatabases {
  readonly #server: PlainServer
  readonly #admin: WireConnection
  readonly #template: string
  readonly #ownsTemplate: boolean

  private constructor(server: PlainServer, admin: WireConnection, template: string, ownsTemplate: boolean) {
    this.#server = server
    this.#admin = admin
    this.#template = template
    this.#ownsTemplate = ownsTemplate
  }

  /** Copies of a template that someone else made and keeps: object identifiers are then the same on both sides. */
  static async fromTemplate(server: PlainServer, template: string): Promise<PlainDatabases> {
    return new PlainDatabases(server, await connect(server.maintenance), template, false)
  }

  /** Makes the template and runs the folder's files on it in name order, as the role that will own the copies. */
  static async open(server: PlainServer, migrations: string): Promise<PlainDatabases> {
    const admin = await connect(server.maintenance)
    const template = uniqueName('plain_template')
    await mustRun(admin, `create database ${template} owner ${server.role.user}`)
    const databases = new PlainDatabases(server, admin, template, true)
    try {
      const connection = await connect(databases.#at(template))
      for (const file of (await readdir(migrations)).sort()) {
        await mustRun(connection, await readFile(join(migrations, file), 'utf8'))
      }
      await connection.end()
      return databases
    } catch (error) {
      await databases.close()
      throw error
    }
  }

  async create(): Promise<PlainDatabase> {
    const name = uniqueName('plain')
    await mustRun(this.#admin, `create database ${name} template ${this.#template} owner ${this.#server.role.user}`)
    return { target: this.#at(name), drop: () => mustRun(this.#admin, `drop database ${name} with (force)`) }
  }

  async close(): Promise<void> {
    if (this.#ownsTemplate) await mustRun(this.#admin, `drop database ${this.#template} with (force)`)
    await this.#admin.end()
  }

  #at(database: string): WireTarget {
    return { ...this.#server.maintenance, ...this.#server.role, database }
  }
}
