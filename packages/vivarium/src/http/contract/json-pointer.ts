/** A JSON pointer (RFC 6901) with further steps: `/paths`, `/v1/charges` → `/paths/~1v1~1charges`. */
export function pointerTo(pointer: string, ...steps: readonly (string | number)[]): string {
  return steps.reduce<string>((all, step) => `${all}/${escapeStep(String(step))}`, pointer)
}

/** A JSON pointer's steps, unescaped. */
function stepsOf(pointer: string): string[] {
  return pointer.split('/').slice(1).map(unescapeStep)
}

/** The last step of a pointer: the name that something has where it stands. */
export function lastStep(pointer: string): string {
  return unescapeStep(pointer.slice(pointer.lastIndexOf('/') + 1))
}

/** What stands at a pointer; `undefined` where nothing does. Only own properties count: `__proto__` is a name like any other. */
export function valueAt(root: unknown, pointer: string): unknown {
  let value = root
  for (const step of stepsOf(pointer)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<string, unknown>)[step]
  }
  return value
}

function escapeStep(step: string): string {
  return step.includes('~') || step.includes('/') ? step.replaceAll('~', '~0').replaceAll('/', '~1') : step
}

function unescapeStep(step: string): string {
  return step.includes('~') ? step.replaceAll('~1', '/').replaceAll('~0', '~') : step
}
