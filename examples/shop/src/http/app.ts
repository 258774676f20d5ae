import { Hono } from 'hono'
import { methodNotAllowed } from 'hono/method-not-allowed'
import { requestId } from 'hono/request-id'
import { secureHeaders } from 'hono/secure-headers'
import type { Logger } from '../log/logger.ts'
import type { Shop } from '../shop.ts'
import { answerFailure, answerRefusal } from './answer-refusal.ts'
import { logRequests } from './log-requests.ts'
import type { HealthCheck } from './health.ts'
import { openApiDocument, pathOf } from './openapi.ts'
import { Refusal } from './refusals.ts'
import { routes } from './routes.ts'

/** What the HTTP surface stands on. */
export interface AppParts {
  readonly shop: Shop
  readonly logger: Logger
  /** What must be reachable for the shop to be ready. */
  readonly healthChecks: readonly HealthCheck[]
  /** What has not answered by then is taken to be down, in milliseconds. @default 2000 */
  readonly healthDeadlineMs?: number
  /** Whether users reach the shop by https only. */
  readonly secure: boolean
  /** What the shop's staff shows; `undefined`: nobody is staff. */
  readonly staffToken: string | undefined
  /** Aborts when the shop stops: what would go on for ever ends then. */
  readonly stopping: AbortSignal
  /** Between two signs of life on a quiet event stream, in milliseconds. */
  readonly heartbeatMs: number
}

/** What a route is answered with. */
export interface Surroundings extends AppParts {
  /** The OpenAPI document of all routes. */
  readonly document: Record<string, unknown>
}

/** The shop as a function from requests to answers: `fetch` for tests, and for the server of Node. */
export function createApp(parts: AppParts): Hono {
  const app = new Hono()
  app.use(requestId({ limitLength: 64 }))
  app.use(logRequests(parts))
  app.use(secureHeaders({ strictTransportSecurity: parts.secure }))
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (context, methods) =>
        answerRefusal(context, new Refusal('method_not_allowed'), { allow: methods.join(', ') }),
    }),
  )
  app.notFound((context) => answerRefusal(context, new Refusal('unknown_route')))
  app.onError((error, context) => answerFailure(context, error, parts.logger))
  const surroundings = { ...parts, document: openApiDocument(routes) }
  for (const route of routes) {
    app.on(route.method.toUpperCase(), pathOf(route), (context) => route.respond(context, surroundings))
  }
  return app
}
