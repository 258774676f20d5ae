import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Isolation } from '../../src/core/options.ts'
import { isolations } from '../support/isolations.ts'
import { PlainDatabases } from '../support/plain-database.ts'
import { openTestVivarium, plainServerOf } from '../support/vivarium.ts'
import type { Vivarium } from '../../src/index.ts'
import { compare, renderDifferences } from './compare.ts'
import { everyConnection } from './every-connection.ts'
import { play } from './play.ts'
import type { Exclusion } from './script.ts'
import { scripts } from './scripts/index.ts'

let vivarium: Vivarium
let databases: PlainDatabases
const usedEverywhere = new Set<Exclusion>()
let compared = 0

beforeAll(async () => {
  vivarium = await openTestVivarium()
  const template = vivarium.describe().postgres?.run.templateDatabase ?? ''
  databases = await PlainDatabases.fromTemplate(plainServerOf(vivarium), template)
})

afterAll(async () => {
  await databases?.close()
  await vivarium?.close()
})

describe.each(isolations)('isolation %s', (isolation) => {
  for (const script of scripts) {
    test(`a sandbox answers like a plain server: ${script.name}`, async () => {
      const database = await databases.create()
      try {
        const plain = await play(database.target, script)
        // Concurrent, on its pinned URL: a script that ends badly takes no other one with it.
        const sandbox = await vivarium.openSandbox({ title: script.name, concurrent: true, isolation })
        let other
        try {
          other = await play(sandbox.postgres.url, script)
        } finally {
          await sandbox.close()
        }
        const warned = sandbox.fidelityWarnings.map(({ kind }) => kind)
        if (isolation === 'database') expect(warned, 'fidelity warnings').toEqual([])
        else expect(warned, 'fidelity warnings').toEqual(expect.arrayContaining([...(script.warns ?? [])]))
        const exclusions = (script.exclude ?? []).filter((exclusion) => mayDiffer(exclusion, isolation))
        const everywhere = everyConnection.filter((exclusion) => mayDiffer(exclusion, isolation))
        const { differences, used } = compare(plain, other, [...everywhere, ...exclusions])
        expect(renderDifferences(differences)).toBe('')
        expect(
          exclusions.filter((exclusion) => !used.has(exclusion)),
          'exclusions that were not used',
        ).toEqual([])
        for (const exclusion of used) usedEverywhere.add(exclusion)
        compared += 1
      } finally {
        await database.drop()
      }
    })
  }
})

/** With a database of its own a sandbox differs from the plain server only in what differs between any two databases. */
function mayDiffer(exclusion: Exclusion, isolation: Isolation): boolean {
  return isolation === 'transaction' || exclusion.betweenAnyTwo === true
}

test('every exclusion that holds for all scripts was used', () => {
  // With a name filter only some scripts ran: then nothing can be said about the others' exclusions.
  if (compared < scripts.length * isolations.length) return
  expect(everyConnection.filter((exclusion) => !usedEverywhere.has(exclusion))).toEqual([])
})
