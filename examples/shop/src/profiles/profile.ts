import { z } from 'zod'

const name = z.string().trim().min(1).max(100)
const bio = z.string().trim().max(2000)

export const newProfileSchema = z.object({ firstName: name, lastName: name, bio: bio.default('') })
export type NewProfile = z.input<typeof newProfileSchema>

export const profileChangesSchema = z
  .object({ firstName: name, lastName: name, bio })
  .partial()
  .refine((changes) => Object.keys(changes).length > 0, 'names nothing to change')
export type ProfileChanges = z.input<typeof profileChangesSchema>

/** Also what a cached profile must look like: another version of the shop may have put it there. */
export const profileSchema = z.object({
  id: z.int(),
  userId: z.int(),
  firstName: z.string(),
  lastName: z.string(),
  bio: z.string(),
})
export type Profile = z.output<typeof profileSchema>
