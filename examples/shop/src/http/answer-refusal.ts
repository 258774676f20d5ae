import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { z } from 'zod'
import type { Logger } from '../log/logger.ts'
import { Refusal } from './refusals.ts'

/** The one shape of every answer that is not a success. */
export const refusalSchema = z.object({
  error: z.string(),
  message: z.string(),
  /** Where in the body, as a JSON pointer. */
  at: z.string().optional(),
  requestId: z.string(),
})

export function answerRefusal(context: Context, refusal: Refusal, headers: Record<string, string> = {}): Response {
  const { code: error, message, at, status } = refusal
  if (status === 401) context.header('www-authenticate', 'Bearer')
  context.set('refusal', error)
  const requestId: string = context.get('requestId')
  return context.json({ error, message, at, requestId }, status as ContentfulStatusCode, headers)
}

/** What was thrown: a refusal is answered, everything else is ours, and is logged. */
export function answerFailure(context: Context, error: Error, logger: Logger): Response {
  if (error instanceof Refusal) return answerRefusal(context, error)
  logger.error('request failed', { requestId: context.get('requestId'), error })
  return answerRefusal(context, new Refusal('internal_error'))
}
