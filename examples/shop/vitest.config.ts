import { defineConfig } from 'vitest/config'
import { vivarium } from 'vivarium/vitest'

export default defineConfig({
  plugins: [vivarium()],
  test: { include: ['test/**/*.test.ts'], exclude: ['test/**/*.long.test.ts'] },
})
