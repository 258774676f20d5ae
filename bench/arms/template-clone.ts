import { Client } from 'pg'
import { required, timed } from './arm.ts'
import type { ArmContext, OpenArm } from './arm.ts'
import { insertAndSelect } from './statements.ts'

/** A database of its own for each test, cloned from a template and dropped afterwards. */
export async function openTemplateCloneArm(context: ArmContext): Promise<OpenArm> {
  const template = required(context, 'templateDatabase')
  const server = new Client({ connectionString: required(context, 'serverUrl') })
  await server.connect()
  const { rows } = await server.query('show server_version_num')
  // FILE_COPY is the faster of the two strategies for a small template; the word is unknown before version 15.
  const strategy = Number(rows[0].server_version_num) >= 150_000 ? 'strategy file_copy' : ''
  let clones = 0
  const test = async (): Promise<void> => {
    const database = `vivarium_bench_clone_${process.pid}_${++clones}`
    const url = new URL(required(context, 'serverUrl'))
    url.pathname = `/${database}`
    await server.query(`create database ${database} template ${template} ${strategy}`)
    const client = new Client({ connectionString: url.href })
    try {
      await client.connect()
      await insertAndSelect(client)
    } finally {
      await client.end()
      await server.query(`drop database ${database} with (force)`)
    }
  }
  return { measures: { test: (count) => timed(count, test) }, close: () => server.end() }
}
