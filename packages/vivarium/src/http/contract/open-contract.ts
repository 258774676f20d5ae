import { VivariumError } from '../../core/errors.ts'
import { refuseUnknownKeys } from '../../core/options.ts'
import { checkDocument } from './check-document.ts'
import { OpenedContract } from './contract.ts'
import { readDocument } from './read-document.ts'
import { SchemaUnits, loadAjv } from './schema-units.ts'
import { SchemaView } from './schema-view.ts'
import { baseUrlsOf } from './servers.ts'
import type { Contract, OpenContractOptions } from './types.ts'

/**
 * Opens an OpenAPI 3.0 or 3.1 document: an object, or the path (or `file:` URL) of a file of JSON or YAML. Nothing has to be closed. The frame of the document and all its references are looked at now, an operation and its schemas when they
 * are first used, once. Rejects with `CONTRACT_UNREADABLE` or `CONTRACT_INVALID`.
 *
 * @example
 * ```ts
 * import { defineService, openContract } from 'vivarium/http'
 *
 * // Each request of the application and each answer of a test is checked against the document.
 * export const stripe = defineService('Stripe', 'https://api.stripe.com', { contract: openContract('./stripe.yaml') })
 * ```
 */
export async function openContract(
  document: object | string | URL,
  options: OpenContractOptions = {},
): Promise<Contract> {
  refuseUnknownKeys(options, ['baseUrl', 'name', 'unknownFields'], '', 'openContract(document, options)')
  const { unknownFields = 'asDocumented' } = options
  if (unknownFields !== 'asDocumented' && unknownFields !== 'refuse') {
    throw new VivariumError('CONFIG_INVALID', {
      what: '`unknownFields` of openContract(document, options) is not valid.',
      seen: JSON.stringify(unknownFields),
      remedy: "Give it 'asDocumented' or 'refuse'.",
    })
  }
  const loading = loadAjv()
  const value = typeof document === 'string' || document instanceof URL ? await readDocument(document) : document
  const ajv = await loading
  const checked = checkDocument(value, options.name)
  const bases = baseUrlsOf(checked, options.baseUrl)
  const units = new SchemaUnits(checked, new SchemaView(checked), ajv, unknownFields === 'refuse')
  return new OpenedContract(checked, bases, units)
}
