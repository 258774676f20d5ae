/** Something that must be reachable for the shop to be ready. */
export interface HealthCheck {
  readonly name: string
  /** Rejects when it is not. */
  check(): Promise<void>
}

export interface Health {
  readonly ready: boolean
  readonly parts: Readonly<Record<string, 'up' | 'down' | 'timed_out'>>
}

/** Looks at everything at once; what does not answer in time counts as down. */
export async function checkHealth(
  checks: readonly HealthCheck[],
  { deadlineMs = 2000 }: { deadlineMs?: number | undefined } = {},
): Promise<Health> {
  const outcomes = await Promise.all(
    checks.map(async ({ name, check }) => [name, await outcomeOf(check, deadlineMs)] as const),
  )
  return { ready: outcomes.every(([, outcome]) => outcome === 'up'), parts: Object.fromEntries(outcomes) }
}

async function outcomeOf(check: () => Promise<void>, deadlineMs: number): Promise<'up' | 'down' | 'timed_out'> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<'timed_out'>((resolve) => (timer = setTimeout(resolve, deadlineMs, 'timed_out')))
  try {
    const checked = Promise.resolve()
      .then(check)
      .then(
        () => 'up' as const,
        () => 'down' as const,
      )
    return await Promise.race([checked, deadline])
  } finally {
    clearTimeout(timer)
  }
}
