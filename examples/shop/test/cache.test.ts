// Cache: a profile is read from the database once, then from the cache, until it changes. On both of the shop's caches.
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { currentSandbox } from 'vivarium'
import type { Profile } from '../src/profiles/profile.ts'
import type { Report } from '../src/report.ts'
import { describeOnEachAdapter, onRedis } from './support/adapters.ts'
import { given } from './support/factories.ts'
import { openTestShop } from './support/test-shop.ts'

describeOnEachAdapter('a profile', (adapter) => {
  const { shop } = openTestShop({ adapter })
  let profile: Profile

  // Given a user with a profile
  beforeEach(async () => {
    profile = await given.insert('profile')
  })

  test('is read from the database the first time, and runs no query the second', async () => {
    // When it is read twice
    const first = await currentSandbox().observe(() => shop.profiles.getProfile(profile.userId))
    const second = await currentSandbox().observe(() => shop.profiles.getProfile(profile.userId))

    // Then both are the same, and only the first has asked the database
    expect(first.result).toEqual(profile)
    expect(second.result).toEqual(profile)
    expect(first.queries).toHaveLength(1)
    expect(second.queries).toHaveLength(0)
  })

  test('is seen as it is after a change', async () => {
    // Given that it is cached
    await shop.profiles.getProfile(profile.userId)

    // When its bio changes
    const result = await shop.profiles.updateProfile(profile.id, { bio: 'Mathematician' })

    // Then the next one reads the new bio from the database, and the one after that runs no query
    const changed = { ...profile, bio: 'Mathematician' }
    expect(result).toEqual({ ok: true, profile: changed })
    const next = await currentSandbox().observe(() => shop.profiles.getProfile(profile.userId))
    expect(next.result).toEqual(changed)
    expect(next.queries).toHaveLength(1)
    const afterwards = await currentSandbox().observe(() => shop.profiles.getProfile(profile.userId))
    expect(afterwards.result).toEqual(changed)
    expect(afterwards.queries).toHaveLength(0)
  })

  test('is read from the database once by many who want it at the same moment', async () => {
    // When ten read it at once, and nobody before
    const seen = await currentSandbox().observe(() =>
      Promise.all(Array.from({ length: 10 }, () => shop.profiles.getProfile(profile.userId))),
    )

    // Then each has it, from one query
    expect(seen.result).toEqual(Array.from({ length: 10 }, () => profile))
    expect(seen.queries).toHaveLength(1)
  })

  test('of another user is cached for itself', async () => {
    // Given another user, and a cached profile
    const hers = await given.insert('profile', { firstName: 'Grace', lastName: 'Hopper' })
    await shop.profiles.getProfile(profile.userId)

    // When theirs is read and changed, then the first stays as it is, in the cache
    expect(await shop.profiles.getProfile(hers.userId)).toEqual(hers)
    await shop.profiles.updateProfile(hers.id, { bio: 'Admiral' })
    const seen = await currentSandbox().observe(() => shop.profiles.getProfile(profile.userId))
    expect(seen.result).toEqual(profile)
    expect(seen.queries).toHaveLength(0)
  })

  test('that is not there is looked for each time, and found once it is', async () => {
    // Given a user who has none, which was noticed
    const grace = await given.insert('user')
    expect(await shop.profiles.getProfile(grace.id)).toBeUndefined()

    // When one is made, then it is found
    const hers = await shop.profiles.createProfile(grace.id, { firstName: 'Grace', lastName: 'Hopper' })
    expect(await shop.profiles.getProfile(grace.id)).toEqual(hers)
    // and what does not exist cannot be changed
    expect(await shop.profiles.updateProfile(hers.id + 1, { bio: '' })).toEqual({ ok: false, error: 'unknown_profile' })
  })
})

describe('a profile, as Redis sees it', onRedis, () => {
  const report = vi.fn<Report>()
  const { shop } = openTestShop({ adapter: 'redis', report })

  test('a miss and a set, then a hit; a change deletes', async () => {
    // Given a user with a profile
    const { id, userId } = await given.insert('profile')
    const key = `user:${userId}:profile`

    // When it is read twice, then the first time it is cached for five minutes, and the second time found
    const first = await currentSandbox().observe(() => shop.profiles.getProfile(userId))
    expect(first).toHaveCacheMiss(key, { times: 1 })
    expect(first).toHaveCacheSet(key, { ttlMs: 300_000, times: 1 })
    const second = await currentSandbox().observe(() => shop.profiles.getProfile(userId))
    expect(second).toHaveCacheHit(key, { times: 1 })
    expect(second).not.toHaveCacheSet()

    // When it is changed, then it is deleted, after the change was written
    const change = await currentSandbox().observe(() => shop.profiles.updateProfile(id, { bio: 'Poet' }))
    expect(change).toHaveCacheDelete(key, { times: 1 })
    expect(change.interactions.map(({ component }) => component)).toEqual(['postgres', 'redis', 'redis'])
    expect(await currentSandbox().observe(() => shop.profiles.getProfile(userId))).toHaveCacheMiss(key)
  })

  test('a read that Redis refuses is answered by the database, and the next one is cached again', async () => {
    // Given a user with a profile, and Redis, which will refuse the next command
    const profile = await given.insert('profile')
    const key = `user:${profile.userId}:profile`
    const { fault } = currentSandbox()
    fault.command({ key }).fails('LOADING Redis is loading the dataset in memory')

    // When it is read three times, then each reader has it
    const reads = await currentSandbox().observe(async () => [
      await shop.profiles.getProfile(profile.userId),
      await shop.profiles.getProfile(profile.userId),
      await shop.profiles.getProfile(profile.userId),
    ])
    expect(reads.result).toEqual([profile, profile, profile])
    // and two of them had to ask the database: the one whom Redis refused, and the one who then filled the cache
    expect(reads.queries).toHaveLength(2)
    expect(report).toHaveBeenCalledWith(`${key} could not be read from the cache`, expect.any(Error))
  })
})
