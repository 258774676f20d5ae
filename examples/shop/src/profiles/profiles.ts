import { eq } from 'drizzle-orm'
import type { Cache } from '../cache/cache.ts'
import { createReadThrough } from '../cache/read-through.ts'
import type { Database, Queryable } from '../database.ts'
import type { Report } from '../report.ts'
import { newProfileSchema, profileChangesSchema, profileSchema } from './profile.ts'
import type { NewProfile, Profile, ProfileChanges } from './profile.ts'
import { profiles } from './tables.ts'

export type UpdateProfileResult = { ok: true; profile: Profile } | { ok: false; error: 'unknown_profile' }

export interface Profiles {
  /** A user's profile: from the cache, where it stands under `user:<id>:profile` for up to five minutes, else from the database. */
  getProfile(userId: number): Promise<Profile | undefined>
  /** Writes the changes, then makes the cache forget the profile. Malformed changes throw a `ZodError`. */
  updateProfile(profileId: number, changes: ProfileChanges): Promise<UpdateProfileResult>
  createProfile(userId: number, profile: NewProfile): Promise<Profile>
}

export interface ProfilesOptions {
  readonly database: Database
  readonly cache: Cache
  readonly report: Report
}

const ttlMs = 300_000

export function createProfiles({ database, cache, report }: ProfilesOptions): Profiles {
  const cached = createReadThrough({ cache, ttlMs, schema: profileSchema, report })
  return {
    getProfile: (userId) =>
      cached.read(keyOf(userId), async () => {
        const [found] = await database.select().from(profiles).where(eq(profiles.userId, userId))
        return found
      }),

    async updateProfile(profileId, changes) {
      const [profile] = await database
        .update(profiles)
        .set(profileChangesSchema.parse(changes))
        .where(eq(profiles.id, profileId))
        .returning()
      if (!profile) return { ok: false, error: 'unknown_profile' }
      await cached.invalidate(keyOf(profile.userId))
      return { ok: true, profile }
    },

    createProfile: (userId, profile) => createProfile(database, userId, profile),
  }
}

/** The profile, as a part of a transaction. There was none to be cached, so that nothing has to be invalidated. */
export async function createProfile(database: Queryable, userId: number, profile: NewProfile): Promise<Profile> {
  const [created] = await database
    .insert(profiles)
    .values({ userId, ...newProfileSchema.parse(profile) })
    .returning()
  return created!
}

const keyOf = (userId: number): string => `user:${userId}:profile`
