import { defineConfig } from 'vitest/config'

/** What is too long for every change: `npm run test:long`. */
export default defineConfig({
  test: {
    include: ['test/**/*.long.test.ts'],
    pool: 'forks',
    // One file at a time: these load the machine on purpose.
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
  },
})
