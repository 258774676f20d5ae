import { now, realSetTimeout, withDeadline } from '../../core/clock.ts'
import { VivariumError } from '../../core/errors.ts'
import { quoteLiteral } from '../connection/client.ts'
import type { PostgresClient } from '../connection/client.ts'
import type { PostgresServer } from '../server/postgres-server.ts'
import { lockKey } from '../template/advisory-lock.ts'
import type { Template } from '../template/build-template.ts'
import { dropDatabase } from '../template/create-database.ts'
import { openMaintenanceConnection, requireOwnBackend } from '../template/maintenance-connection.ts'
import { pruneTemplates, useTemplate } from '../template/prune-templates.ts'
import { parseTemplateNote } from '../template/template-note.ts'
import { clonePrefix, newRunId } from './clone-name.ts'
import { readDatabaseSettings } from './database-settings.ts'
import { unlockClone } from './find-clone.ts'
import { makeClone } from './make-clone.ts'
import type { RunIdentity } from './run-identity.ts'
import { sweepDeadRuns } from './sweep.ts'

export interface OpenRunOptions {
  /** Clones to make ahead, in the background. @default 0 */
  clones?: number
  /** How many clones the run may have at once. @default 64 */
  maxClones?: number
}

/** A test run's hold of its clones, in the process that started it. */
export interface Run extends AsyncDisposable {
  /** How many connections the server accepts of our role. */
  readonly serverConnections: number
  /** To be handed to {@link openLeasePool}, in any process. */
  readonly identity: RunIdentity
  /** Resolves, never rejects, when the clones ahead are made and what dead runs left is gone. */
  readonly ready: Promise<void>
  /** Resolves with the reason when the run's lock was lost: the next run takes its clones for a dead one's. */
  readonly lost: Promise<Error>
  /**
   * Drops every clone of the run, whoever uses it.
   *
   * @throws VivariumError RUN_CLEANUP_FAILED with the databases that are left.
   */
  close(): Promise<void>
}

/** What the server accepts of an ordinary role, and of ours; the part that it keeps for others is not in it. */
const connectionLimit = `least(
  pg_catalog.current_setting('max_connections')::int4 - pg_catalog.current_setting('superuser_reserved_connections')::int4
    - coalesce(pg_catalog.current_setting('reserved_connections', true)::int4, 0),
  (SELECT nullif(rolconnlimit, -1) FROM pg_catalog.pg_roles WHERE rolname = current_user))`

/** Beyond this size writing each block to the log as well costs more than two checkpoints. */
const mostLoggedBytes = 64 * 1024 * 1024

const closeDeadlineMs = 15_000
/** How long closing waits, of that, for what dead runs left to be dropped. */
const sweepAtCloseMs = 5_000

/** Opens a run over a template: from here on its clones are those of a live run. */
export async function openRun(server: PostgresServer, template: Template, options: OpenRunOptions = {}): Promise<Run> {
  const runId = newRunId()
  const client = await openMaintenanceConnection(server.maintenance, `run ${runId}`)
  try {
    const backend = await client.query(
      `SELECT pg_catalog.pg_backend_pid() AS pid, ${connectionLimit} AS connections, pg_catalog.pg_advisory_lock(${lockKey('run', runId)})`,
    )
    requireOwnBackend(client, server.maintenance, backend[0]?.['pid'])
    await useTemplate(client, template.database)
    const identity = await describeRun(client, server, template, runId, options.maxClones ?? 64)
    return new OpenedRun(server, client, {
      identity,
      clones: Math.min(options.clones ?? 0, identity.maxClones),
      serverConnections: Number(backend[0]?.['connections']),
    })
  } catch (error) {
    await client.close()
    throw error
  }
}

async function describeRun(
  client: PostgresClient,
  server: PostgresServer,
  template: Template,
  runId: string,
  maxClones: number,
): Promise<RunIdentity> {
  const rows = await client.query(
    `SELECT pg_catalog.pg_database_size(oid) AS bytes, pg_catalog.current_setting('fsync') AS fsync,
            pg_catalog.shobj_description(oid, 'pg_database') AS note
       FROM pg_catalog.pg_database WHERE datname = ${quoteLiteral(template.database)}`,
  )
  const found = rows[0]
  const note = parseTemplateNote(found?.['note'])
  if (found === undefined || note === undefined) {
    throw new VivariumError('TEMPLATE_UNUSABLE', {
      what: `The template database "${template.database}" cannot be used.`,
      seen: found === undefined ? 'it is not on the server' : 'its comment, in which Vivarium keeps notes, was changed',
      remedy: 'Drop it if it is there; the next run builds it again.',
    })
  }
  return {
    runId,
    templateDatabase: template.database,
    maintenance: server.maintenance,
    application: server.application(template.database),
    versionNumber: server.versionNumber,
    maxClones,
    strategy: found['fsync'] === 'on' && Number(found['bytes']) <= mostLoggedBytes ? 'WAL_LOG' : 'FILE_COPY',
    templateBytes: Number(found['bytes']),
    databaseSettings: await readDatabaseSettings(client, template.database),
    sequences: note.sequences,
  }
}

interface OpenedRunParts {
  readonly identity: RunIdentity
  readonly clones: number
  readonly serverConnections: number
}

class OpenedRun implements Run {
  readonly identity: RunIdentity
  readonly serverConnections: number
  readonly ready: Promise<void>
  readonly lost: Promise<Error>
  readonly #server: PostgresServer
  readonly #client: PostgresClient
  #closing: Promise<void> | undefined
  #closingSince = Infinity

  constructor(server: PostgresServer, client: PostgresClient, { identity, clones, serverConnections }: OpenedRunParts) {
    this.identity = identity
    this.serverConnections = serverConnections
    this.#server = server
    this.#client = client
    this.lost = new Promise((resolve) => {
      void client.closed.then((reason) => {
        if (reason !== undefined) resolve(runLost(identity, reason))
      })
    })
    // What fails here fails again, and is then reported, where somebody waits for a clone.
    this.ready = this.#prepare(clones).catch(() => undefined)
  }

  async #prepare(clones: number): Promise<void> {
    for (let number = 1; number <= clones && !this.#isClosing(); number++) await this.#makeAhead(number)
    const isClosing = (): boolean => this.#isClosing()
    // Also at the end of a short run: else runs that are over before it begins would never sweep.
    await sweepDeadRuns(this.#client, () => now() - this.#closingSince > sweepAtCloseMs)
    // A server of our own goes with its run, and its templates are kept in images.
    if (!isClosing() && this.#server.kind === 'external') await pruneTemplates(this.#client, isClosing)
  }

  #isClosing(): boolean {
    return this.#closing !== undefined
  }

  async #makeAhead(number: number): Promise<void> {
    const name = `${clonePrefix(this.identity)}${number}`
    const rows = await this.#client.query(`SELECT pg_catalog.pg_try_advisory_lock(${lockKey('clone', name)}) AS locked`)
    // Somebody could not wait and makes it.
    if (rows[0]?.['locked'] !== 't') return
    try {
      await makeClone(this.#client, this.identity, { name, mark: 'reusable' })
    } finally {
      await unlockClone(this.#client, name)
    }
  }

  close(): Promise<void> {
    this.#closingSince = Math.min(this.#closingSince, now())
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const late = (): Error => new Error('late')
    const idle = await withDeadline(this.ready, closeDeadlineMs, late).then(
      () => true,
      () => false,
    )
    let client = this.#client
    try {
      if (idle) await client.query(`SELECT pg_catalog.pg_advisory_unlock(${lockKey('run', this.identity.runId)})`)
      else throw late()
    } catch {
      // The connection was lost or hangs, and with it goes the lock.
      void client.close()
      client = await openMaintenanceConnection(this.#server.maintenance, `run ${this.identity.runId} close`)
    }
    try {
      await dropClones(client, this.identity)
    } finally {
      await client.close()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Drops until none is left: a process that was making a clone may finish it after the first look. */
async function dropClones(client: PostgresClient, identity: RunIdentity): Promise<void> {
  const prefix = clonePrefix(identity)
  const start = now()
  let failure: unknown
  for (;;) {
    const rows = await client.query(
      `SELECT datname AS name FROM pg_catalog.pg_database WHERE pg_catalog.starts_with(datname, ${quoteLiteral(prefix)}) ORDER BY 1`,
    )
    if (rows.length === 0) return
    for (const { name } of rows) {
      await dropDatabase(client, name ?? '').catch((error: unknown) => {
        failure = error
      })
    }
    if (failure === undefined) continue
    if (now() - start > closeDeadlineMs)
      throw cleanupFailed(
        identity,
        rows.map((row) => row['name'] ?? ''),
        failure,
      )
    await new Promise<void>((resolve) => realSetTimeout(resolve, 100))
    failure = undefined
  }
}

function cleanupFailed(identity: RunIdentity, names: readonly string[], cause: unknown): VivariumError {
  return new VivariumError('RUN_CLEANUP_FAILED', {
    what: `Databases of run ${identity.runId} could not be dropped: ${names.join(', ')}.`,
    seen: cause instanceof Error ? cause.message : String(cause),
    remedy: 'The next run tries again; see what is connected to them.',
    cause,
  })
}

function runLost(identity: RunIdentity, reason: Error): VivariumError {
  return new VivariumError('LEASE_LOST', {
    what: `The connection that holds the run ${identity.runId} was lost.`,
    seen: reason.message,
    remedy: 'Start the run again: another one may take its databases for those of a dead run.',
    cause: reason,
  })
}
