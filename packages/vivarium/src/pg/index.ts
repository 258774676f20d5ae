/**
 * Postgres, for tests: its notifications as a source of an inbox.
 *
 * @module
 */
export { pgChannels } from '../postgres/channel-source.ts'
