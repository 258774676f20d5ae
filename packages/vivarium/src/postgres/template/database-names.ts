import { randomBytes } from 'node:crypto'

/** Names of the databases that Vivarium makes; nothing else is ever dropped. */
export function templateName(hash: string): string {
  return `vivarium_template_${hash}`
}

/** A name under which a template is built, before it gets its own. */
export function newBuildingName(hash: string): string {
  return `vivarium_building_${hash}_${randomBytes(4).toString('hex')}`
}

/** A POSIX regular expression for the names of {@link newBuildingName}; the hash is its first group. */
export const buildingPattern = '^vivarium_building_([0-9a-f]{8,32})_[0-9a-f]{8}$'
/** The same for {@link templateName}. */
export const templatePattern = '^vivarium_template_([0-9a-f]{8,32})$'
