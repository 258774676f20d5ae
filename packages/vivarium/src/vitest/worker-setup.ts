// Vitest runs this file in every worker, before each test file loads.
import { aroundAll, aroundEach, expect, inject } from 'vitest'
import { cacheMatchers, FileRun, inboxMatchers, joinWorker, mailMatchers } from './worker-runtime.ts'
import './matcher-types.ts'
import './provided-context.ts'

expect.extend({ ...mailMatchers, ...cacheMatchers, ...inboxMatchers })

const file = new FileRun(await joinWorker(inject('vivarium')))

// Everything inside has deadlines of its own; the user's `hookTimeout` is about the user's hooks.
const timeoutMs = 60_000

// Vitest reads the parameter list and insists that the second one, the fixtures, is destructured.
// oxlint-disable-next-line no-empty-pattern
aroundAll(async (run, {}, suite) => file.aroundFile(suite, run), timeoutMs)

aroundEach(async (run, { task }) => file.aroundTest(task, run), timeoutMs)
