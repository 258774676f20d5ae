import { z } from 'zod'
import { refusalSchema } from './answer-refusal.ts'
import { refusals } from './refusals.ts'
import type { RefusalCode } from './refusals.ts'
import type { Route } from './route.ts'

type JsonObject = Record<string, unknown>

/** The path as Hono writes it: `/api/orders/:orderId`. */
export function pathOf({ path }: Pick<Route, 'path'>): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1')
}

/** The OpenAPI document of the routes, made of the very schemas that check their requests and answers. */
export function openApiDocument(routes: readonly Route[]): JsonObject {
  const paths: Record<string, JsonObject> = {}
  for (const route of routes) (paths[route.path] ??= {})[route.method] = operationOf(route)
  return {
    openapi: '3.1.0',
    info: { title: 'The shop', version: '1.0.0', description: 'Money is in whole cents. Every refusal has a name.' },
    servers: [{ url: '/' }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        cookie: { type: 'apiKey', in: 'cookie', name: 'shop_session' },
      },
    },
  }
}

const refusalsOfBodies: readonly RefusalCode[] = [
  'unsupported_media_type',
  'body_too_large',
  'malformed_json',
  'malformed_body',
  'unknown_field',
]

/** Everything that a route may refuse, by name: what its access and its body bring with them, and its own. */
export function refusalsOf({ access, body, refuses }: Route): RefusalCode[] {
  const codes: RefusalCode[] = ['unknown_parameter', 'internal_error', ...refuses]
  if (access === 'user') codes.push('not_signed_in')
  if (access === 'staff') codes.push('not_staff')
  if (body !== undefined) codes.push(...refusalsOfBodies)
  return codes
}

function operationOf(route: Route): JsonObject {
  const { method, path, summary, access, params, body } = route
  return {
    summary,
    operationId: `${method} ${path}`,
    ...(access === 'user' && { security: [{ bearer: [] }, { cookie: [] }] }),
    ...(access === 'staff' && { security: [{ bearer: [] }] }),
    ...(params !== undefined && { parameters: parametersOf(params) }),
    ...(body !== undefined && {
      requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input') } } },
    }),
    responses: { ...answerOf(route), ...refusedAnswersOf(route) },
  }
}

function parametersOf(params: z.ZodType): JsonObject[] {
  const { properties } = schemaOf(params, 'input') as { properties: Record<string, JsonObject> }
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'path', required: true, schema }))
}

function answerOf({ status, alsoAnswers, summary, answer, answerType = 'application/json' }: Route): JsonObject {
  const content = answer === undefined ? undefined : { [answerType]: { schema: schemaOf(answer, 'output') } }
  const described = { description: summary, ...(content !== undefined && { content }) }
  return { [status]: described, ...(alsoAnswers !== undefined && { [alsoAnswers]: described }) }
}

/** One response for each status, which names what may be refused with it. */
function refusedAnswersOf(route: Route): JsonObject {
  const all = refusalsOf(route)
  const statuses = new Set(all.map((code) => refusals[code][0]))
  return Object.fromEntries(
    [...statuses].map((status) => {
      const codes = all.filter((code) => refusals[code][0] === status)
      const description = codes.map((code) => `${code}: ${refusals[code][1]}`).join('\n')
      const schema = schemaOf(refusalSchema.extend({ error: z.enum(codes as [RefusalCode]) }), 'output')
      return [status, { description, content: { 'application/json': { schema } } }]
    }),
  )
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
  const { $schema: _, ...converted } = z.toJSONSchema(schema, { io })
  return converted
}
