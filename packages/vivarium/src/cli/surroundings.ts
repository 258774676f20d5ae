/** What a command is run in. */
export interface Surroundings {
  /** Where it was called: relative paths start here. */
  readonly folder: string
  /** Writes a line for whoever called. */
  print(text: string): void
  /** Writes a line about what went wrong. */
  complain(text: string): void
}

/** Exit codes: all is well; it is not; the command cannot be carried out. */
export const exitCodes = { ok: 0, differs: 1, refused: 2 } as const
