/** Prints a check's result, and makes the process fail when there are problems. */
export function report(check: string, problems: readonly string[], seen: string): void {
  for (const problem of problems) console.log(problem)
  if (problems.length > 0) process.exitCode = 1
  console.log(`${check}: ${problems.length === 0 ? 'ok' : `${problems.length} wrong`} (${seen})`)
}
