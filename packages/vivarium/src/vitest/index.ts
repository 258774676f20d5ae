/**
 * The Vitest plugin: every test in a sandbox of its own, with no change in the tests.
 *
 * @module
 */
export { vivarium } from './plugin.ts'
export type { VivariumPlugin, VivariumPluginApi } from './plugin.ts'
export type { TestNotes } from './notes.ts'
