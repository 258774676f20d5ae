import { openTogether } from '../core/lifecycle.ts'
import { joinComponents } from './join-components.ts'
import { JoinedVivarium, type JoinInfo } from './vivarium.ts'

/** Takes part in a vivarium that `describe()` told about, without owning its server, template or run. */
export async function joinVivarium(info: JoinInfo): Promise<JoinedVivarium> {
  return openTogether(async (opened) => new JoinedVivarium(info, { ...(await joinComponents(info, opened)), opened }))
}
