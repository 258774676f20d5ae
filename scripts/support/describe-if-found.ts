import { describe, it } from 'vitest'

/** Something that a suite needs and a machine may lack. */
export interface Optional<T> {
  /** What `VIVARIUM_REQUIRE` calls it. */
  readonly name: string
  /** `undefined` where it is not there. */
  readonly found: T | undefined
  /** What was looked for in vain, as half a sentence: `no redis-server is on the PATH`. */
  readonly missing: string
}

/** Why a test was not run; stands in its `meta` in the runner's report, and `npm test` and `npm run demo` sum it up at their end. */
export interface NotRun {
  readonly needs: string
  readonly missing: string
}

declare module 'vitest' {
  interface TaskMeta {
    notRun?: NotRun
  }
}

/** Whether `VIVARIUM_REQUIRE` (a comma list) says that `name` must be there. */
export function isRequired(name: string, list: string | undefined = process.env['VIVARIUM_REQUIRE']): boolean {
  return (list ?? '')
    .split(',')
    .map((item) => item.trim())
    .includes(name)
}

/** What is said of tests that were not run. */
export function sayNotRun(what: string, { needs, missing }: NotRun): string {
  return `Not run: ${what}: ${missing}. VIVARIUM_REQUIRE=${needs} makes this a failure.`
}

/**
 * A `describe` over something optional, for any suite of this repository. Found: the tests run. Not found: they do not run and the
 * reason is printed, there and at the end of `npm test` and `npm run demo`; or, where `VIVARIUM_REQUIRE` names it, the suite fails.
 *
 * `describeOptional({ name: 'redis', found: findRedis(), missing: 'no redis-server is on the PATH' }, 'a title', (found) => …)`
 */
export function describeOptional<T>(
  { name, found, missing }: Optional<T>,
  title: string,
  body: (found: T) => void,
): void {
  if (found !== undefined) {
    describe(title, () => {
      body(found)
    })
    return
  }
  if (isRequired(name)) {
    describe(title, () => {
      it(`finds ${name}, which VIVARIUM_REQUIRE names`, () => {
        throw new Error(`${name} was not found: ${missing}. VIVARIUM_REQUIRE names it, so this is a failure.`)
      })
    })
    return
  }
  const notRun: NotRun = { needs: name, missing }
  process.stderr.write(`${sayNotRun(`"${title}"`, notRun)}\n`)
  // The one place that may skip: a thing that is really not there. The names stay listed, so that they can be counted.
  describe(title, { skip: true, meta: { notRun } }, () => {
    body(undefined as T)
  })
}
