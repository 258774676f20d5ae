import { defineConfig } from 'vivarium'

export default defineConfig({ postgres: { migrations: './migrations' }, mail: {}, http: {} })
