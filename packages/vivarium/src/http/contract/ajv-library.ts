/**
 * The validator of JSON Schema and its formats, in one module that is loaded when a contract is opened. The build makes one file of
 * it: docs/decisions/095.
 */
import type { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

export { Ajv2020 } from 'ajv/dist/2020.js'

/** Adds the formats of JSON Schema and of OpenAPI. Its types speak of another kind of module than Node's. */
export const addFormats: (ajv: Ajv2020) => void = formats as unknown as (ajv: Ajv2020) => void
