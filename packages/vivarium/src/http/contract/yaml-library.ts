/** The reader of YAML, in one module that is loaded with the first such document. The build makes one file of it: docs/decisions/095. */
export { parse } from 'yaml'
