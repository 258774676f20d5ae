import type { Context } from 'hono'
import type { z } from 'zod'
import { isRefusalCode, Refusal } from './refusals.ts'

const mostBytes = 64 * 1024

/** The parameters of the path, checked. */
export function readParams(context: Context, schema: z.ZodType | undefined): unknown {
  return schema === undefined ? undefined : check(schema, context.req.param())
}

/** The body, checked; a route without one does not look at it. */
export async function readBody(context: Context, schema: z.ZodType | undefined): Promise<unknown> {
  if (schema === undefined) return undefined
  const [type = ''] = (context.req.header('content-type') ?? '').split(';')
  if (type.trim().toLowerCase() !== 'application/json') throw new Refusal('unsupported_media_type')
  return check(schema, parseJson(await readText(context.req.raw)))
}

/** No route takes query parameters: one that is misspelt, or meant for another API, is not passed over in silence. */
export function refuseQuery(context: Context): void {
  if (Object.keys(context.req.query()).length > 0) throw new Refusal('unknown_parameter')
}

/** Stops reading where the limit is passed, whatever the client said of the length. */
async function readText({ body }: Request): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.length
    if (size > mostBytes) throw new Refusal('body_too_large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal('malformed_json')
  }
}

/** The schemas say their refusals' names where zod has its messages: see fields.ts. */
function check(schema: z.ZodType, value: unknown): unknown {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const pointer = issue!.path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
  if (issue!.code === 'unrecognized_keys') throw new Refusal('unknown_field', `${pointer}/${issue!.keys[0]}`)
  throw new Refusal(isRefusalCode(issue!.message) ? issue!.message : 'malformed_body', pointer || undefined)
}
