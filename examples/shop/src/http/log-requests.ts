import type { MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import type { AppParts } from './app.ts'

/** One line per request, written when its answer is ready to be sent. */
export function logRequests({ logger }: Pick<AppParts, 'logger'>): MiddlewareHandler {
  return async (context, next) => {
    const started = performance.now()
    await next()
    const { status } = context.res
    const fields = {
      requestId: context.get('requestId'),
      method: context.req.method,
      // The route, not the URL: what users put into a URL stays theirs.
      route: routePath(context, -1),
      status,
      refusal: context.get('refusal'),
      userId: context.get('userId'),
      durationMs: Math.round((performance.now() - started) * 10) / 10,
    }
    if (status >= 500) logger.error('request', fields)
    else logger.info('request', fields)
  }
}
