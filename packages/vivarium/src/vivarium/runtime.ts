/** What opening a vivarium needs, in one module: the build makes one file of it, because loading many takes longer. */
export { joinComponents } from './join-components.ts'
export { openVivariumHost } from './host.ts'
export { JoinedVivarium } from './vivarium.ts'
