import { z } from 'zod'
import { checkHealth } from '../health.ts'
import { route } from '../route.ts'

export const operationRoutes = [
  route({
    method: 'get',
    path: '/health/live',
    summary: 'The process answers: it need not be restarted',
    access: 'anybody',
    status: 200,
    answer: z.object({ live: z.literal(true) }),
    refuses: [],
    handle: async () => ({ live: true as const }),
  }),

  route({
    method: 'get',
    path: '/health',
    summary: 'Ready to serve users: what is up, and what is down',
    access: 'anybody',
    status: 200,
    alsoAnswers: 503,
    answer: z.object({ ready: z.boolean(), parts: z.record(z.string(), z.enum(['up', 'down', 'timed_out'])) }),
    refuses: [],
    async handle({ healthChecks, healthDeadlineMs, stopping, context }) {
      const { ready, parts } = await checkHealth(healthChecks, { deadlineMs: healthDeadlineMs })
      if (ready && !stopping.aborted) return { ready, parts }
      return context.json({ ready: false, parts }, 503)
    },
  }),

  route({
    method: 'get',
    path: '/openapi.json',
    summary: 'This document',
    access: 'anybody',
    status: 200,
    answer: z.record(z.string(), z.unknown()),
    refuses: [],
    handle: async ({ document }) => document,
  }),
]
