/** What ends a unit's work inside a rewritten text, where its savepoint is the named one, and the name after that. */
export function boundaryStatements(
  boundary: 'keep' | 'undo',
  savepoint: string,
  unitName: string,
): { statements: readonly string[]; savepoint: string } {
  if (boundary === 'undo') return { statements: [`ROLLBACK TO SAVEPOINT ${savepoint}`], savepoint }
  const release = savepoint === unitName ? [`RELEASE SAVEPOINT ${unitName}`] : []
  return { statements: [...release, `SAVEPOINT ${unitName}`], savepoint: unitName }
}

/** A statement that always fails, for use inside a rewritten query text. */
export const failingStatement = 'ROLLBACK TO SAVEPOINT vivarium_refused'
/** What it fails with: there is no such savepoint. */
export const failingCode = '3B001'
