import type { Isolation } from '../../src/core/options.ts'
import { PlainDatabases } from '../support/plain-database.ts'
import { openTestVivarium, plainServerOf } from '../support/vivarium.ts'
import { connect, rowsOf } from '../support/wire.ts'
import type { Coverage } from './coverage.ts'
import { check, type FuzzResult, type FuzzRun } from './check.ts'
import { playBoth, type Sides } from './play-both.ts'
import { PlainSide } from './plain-side.ts'
import { type FuzzScript, fuzzScript } from './script.ts'

/** Plays random scripts on sandboxes and on a plain database until they differ, and then makes the script small. */
export async function fuzzModel(run: FuzzRun, isolation: Isolation, coverage: Coverage): Promise<FuzzResult> {
  await using vivarium = await openTestVivarium()
  const server = plainServerOf(vivarium)
  const template = vivarium.describe().postgres?.run.templateDatabase ?? ''
  const databases = await PlainDatabases.fromTemplate(server, template)
  const database = await databases.create()
  try {
    const admin = await connect(database.target)
    const [[oid] = []] = rowsOf(await admin.query('select max(oid::bigint) from pg_class'))
    await admin.end()
    const plain = await PlainSide.open(database.target)
    try {
      return await search(run, { vivarium, plain, isolation, coverage, lastTemplateOid: Number(oid) })
    } finally {
      await plain.close()
    }
  } finally {
    await database.drop()
    await databases.close()
  }
}

async function search(run: FuzzRun, sides: Sides): Promise<FuzzResult> {
  return await check(run, fuzzScript, async (script: FuzzScript) => {
    const outcome = await playBoth(script, sides)
    if (outcome.difference === undefined) return undefined
    return { lines: outcome.lines, difference: outcome.difference }
  })
}
