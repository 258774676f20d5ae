import { defineConfig } from 'vivarium'
import { isRequired } from '../../scripts/support/describe-if-found.ts'
import { optionalRedis } from '../../scripts/support/find-redis.ts'

// In a project of your own: `redis: {}`. This repository's tests are also to run where there is no Redis.
const { name, found } = optionalRedis()
const hasRedis = found !== undefined || isRequired(name)

export default defineConfig({
  postgres: { migrations: './migrations' },
  ...(hasRedis && { redis: {} }),
  mail: {},
  http: {},
})
