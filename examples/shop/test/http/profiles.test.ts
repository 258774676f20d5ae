// Profiles over HTTP: one's own, from the cache where it can be.
import { describe, expect, test } from 'vitest'
import { currentSandbox } from 'vivarium'
import { given } from '../support/factories.ts'
import { openTestApp, signedIn } from '../support/test-app.ts'

const { shop, ask } = openTestApp()

async function givenAda(): Promise<{ token: string; path: string }> {
  const { user, token } = await signedIn(shop)
  await given.insert('profile', { user, bio: 'Analyst' })
  return { token, path: `/api/users/${user.id}/profile` }
}

test('a change is there at the next read, and the reads after that run no query for it', async () => {
  // Given a user who has read their profile
  const { token, path } = await givenAda()
  await ask(`GET ${path}`, { token })

  // When they change one field of it
  const changed = await ask(`PATCH ${path}`, { token, json: { bio: 'Enchantress of numbers' } })

  // Then that field has changed, and no other
  const profile = { id: 1, userId: 1, firstName: 'Ada', lastName: 'Lovelace', bio: 'Enchantress of numbers' }
  expect([changed.status, changed.body]).toEqual([200, { profile }])
  expect((await ask(`GET ${path}`, { token })).body).toEqual({ profile })
  // and the next read asks the database who it is, and nothing more
  const seen = await currentSandbox().observe(() => ask(`GET ${path}`, { token }))
  expect(seen.result.body).toEqual({ profile })
  expect(seen.queries.filter(({ text }) => text.includes('profiles'))).toEqual([])
})

describe('another user’s profile', () => {
  test('can neither be read nor changed, also when it is in the cache', async () => {
    // Given Ada's profile, in the cache, and Grace
    const ada = await givenAda()
    await ask(`GET ${ada.path}`, { token: ada.token })
    const { token } = await signedIn(shop, 'grace@example.com')

    // When Grace reads it, and writes into it
    const read = await ask(`GET ${ada.path}`, { token })
    const written = await ask(`PATCH ${ada.path}`, { token, json: { bio: 'Grace was here' } })

    // Then neither is done
    expect(read).toMatchObject({ status: 403, body: { error: 'not_yours' } })
    expect(written).toMatchObject({ status: 403, body: { error: 'not_yours' } })
    expect(JSON.stringify(read.body)).not.toContain('Analyst')
    expect((await ask(`GET ${ada.path}`, { token: ada.token })).body).toMatchObject({ profile: { bio: 'Analyst' } })
  })
})
