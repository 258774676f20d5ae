import { defineConfig } from 'vitest/config'

/** What needs servers that run, and more time: `npm run test:long`. Without Vivarium: here nothing stands between the shop and them. */
export default defineConfig({
  test: { include: ['test/**/*.long.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
})
