import { openTogether } from '../core/lifecycle.ts'
import { joinPostgres } from '../postgres/component/worker.ts'
import { JoinedVivarium, type JoinInfo } from './vivarium.ts'

/** Takes part in a vivarium that `describe()` told about, without owning its server, template or run. */
export async function joinVivarium(info: JoinInfo): Promise<JoinedVivarium> {
  return openTogether(async (opened) => {
    const postgres = info.postgres && (await joinPostgres(info.postgres))
    if (postgres !== undefined) opened.add('the Postgres gateway', () => postgres.close())
    return new JoinedVivarium(info, { postgres, opened })
  })
}
