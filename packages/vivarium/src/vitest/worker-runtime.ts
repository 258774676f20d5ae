// One module, so that a worker loads one file: the build bundles everything below it into this one (scripts/build.ts).
export { FileRun } from './file-run.ts'
export { joinWorker } from './worker.ts'
export { mailMatchers } from '../mail/matchers.ts'
export { cacheMatchers } from '../redis/matchers.ts'
export { inboxMatchers } from './inbox-matchers.ts'
