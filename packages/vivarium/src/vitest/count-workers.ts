/** What decides how many workers Vitest starts. */
export interface WorkerCounts {
  /** `maxWorkers` of the configuration; Vitest leaves it undefined when nobody set it. */
  readonly asked: number | undefined
  readonly files: number
  readonly cores: number
  readonly watches: boolean
}

/** How many workers will ask for a database at once. */
export function countWorkers({ asked, files, cores, watches }: WorkerCounts): number {
  // Vitest's own default: all cores but one, half of them while it watches.
  const most = asked ?? (watches ? Math.floor(cores / 2) : cores - 1)
  return Math.max(1, Math.min(most, files))
}
