import type { ResolvedHttp } from './options.ts'

/** Begins to intercept in this worker, with the run's options. */
export async function joinHttp({ passthrough }: ResolvedHttp): Promise<void> {
  // Loaded here: most runs have no such option, and no worker of theirs is to load it.
  const { intercept } = await import('./intercept/interception.ts')
  const { passing } = intercept()
  for (const origin of passthrough) if (!passing.includes(origin)) passing.push(origin)
}
