import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { buildTemplate } from '../../src/postgres/template/build-template.ts'
import type { BuildTemplateOptions, Template } from '../../src/postgres/template/build-template.ts'
import type { Migrations } from '../../src/postgres/template/migrations.ts'
import type { PostgresServer } from '../../src/postgres/server/postgres-server.ts'
import { dropTemplate, listDatabases, runOn } from './template-servers.ts'

/** A server for the tests of a `describe`, and for each of them a folder, a hash, and nothing left behind. */
export interface TemplateBench {
  readonly server: PostgresServer
  readonly folder: string
  readonly hash: string
  put(name: string, content: string): Promise<void>
  build(migrations?: Migrations, options?: Partial<BuildTemplateOptions>, on?: PostgresServer): Promise<Template>
  /** The first column of what a statement returns in a copy of a template. */
  look(template: Template, statement: string): Promise<unknown[]>
}

/** To be called in a `describe`. */
export function useTemplateBench(open: () => Promise<PostgresServer>): TemplateBench {
  let server: PostgresServer
  let folder: string
  let hash: string
  beforeAll(async () => {
    server = await open()
  })
  afterAll(() => server.close())
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vivarium-template-'))
    hash = randomBytes(16).toString('hex')
  })
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true })
    await dropTemplate(server, `vivarium_template_${hash}`)
    expect(await listDatabases(server, `vivarium_building_${hash}`)).toEqual([])
  })
  return {
    get server() {
      return server
    },
    get folder() {
      return folder
    },
    get hash() {
      return hash
    },
    put: async (name, content) => {
      await mkdir(dirname(join(folder, name)), { recursive: true })
      await writeFile(join(folder, name), content)
    },
    build: (migrations = folder, options = {}, on = server) =>
      buildTemplate(on, migrations, { hash, env: 'DATABASE_URL', ...options }),
    look: async (template, statement) => {
      const copy = `vivarium_copy_${hash}`
      await runOn(server, `CREATE DATABASE "${copy}" TEMPLATE "${template.database}"`)
      try {
        return (await runOn(server, statement, copy)).map((row) => Object.values(row)[0])
      } finally {
        await runOn(server, `DROP DATABASE "${copy}"`)
      }
    },
  }
}
