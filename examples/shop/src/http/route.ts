import type { Context } from 'hono'
import type { z } from 'zod'
import type { User } from '../accounts/accounts.ts'
import type { Surroundings } from './app.ts'
import { readSession, requireStaff } from './authentication.ts'
import { readBody, readParams, refuseQuery } from './read-request.ts'
import type { RefusalCode } from './refusals.ts'

/** Who may call a route: anybody, who is signed in, or the shop's own staff. */
export type Access = 'anybody' | 'user' | 'staff'

/** What a handler gets: all of it checked. */
export interface RouteInput<Params, Body, Who extends Access> extends Surroundings {
  readonly params: Params
  readonly body: Body
  readonly user: Who extends 'user' ? User : undefined
  readonly context: Context
}

/** What a route is, for the server and for the OpenAPI document alike. */
interface RouteDescription {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** As OpenAPI writes it: `/api/orders/{orderId}`. */
  readonly path: string
  readonly summary: string
  readonly status: 200 | 201 | 202 | 204
  readonly access: Access
  /** An answer of the same shape under another status: bad news. */
  readonly alsoAnswers?: 503
  /** What it refuses beyond what every route with its access and its body refuses. */
  readonly refuses: readonly RefusalCode[]
  /** @default 'application/json' */
  readonly answerType?: 'application/json' | 'text/event-stream'
}

export interface RouteOptions<
  Params,
  Body,
  Answer extends z.ZodType | undefined,
  Who extends Access,
> extends RouteDescription {
  readonly access: Who
  readonly params?: z.ZodType<Params>
  readonly body?: z.ZodType<Body>
  /** Also what is kept of a handler's answer: what the schema does not list does not leave the server. */
  readonly answer?: Answer
  handle(
    input: RouteInput<Params, Body, Who>,
  ): Promise<Response | (Answer extends z.ZodType ? z.input<Answer> : undefined | void)>
}

export interface Route extends RouteDescription {
  readonly params: z.ZodType | undefined
  readonly body: z.ZodType | undefined
  readonly answer: z.ZodType | undefined
  respond(context: Context, parts: Surroundings): Promise<Response>
}

/** One endpoint: its schemas, who may call it, what it refuses, and what it does. */
export function route<Params, Body, Answer extends z.ZodType | undefined = undefined, Who extends Access = Access>({
  handle,
  ...described
}: RouteOptions<Params, Body, Answer, Who>): Route {
  const { access, params, body, answer, status } = described
  return {
    ...described,
    params,
    body,
    answer,
    async respond(context, parts) {
      // Who asks comes first: what is wrong with a request is not everybody's business.
      const user = access === 'user' ? await readSession(context, parts) : undefined
      if (access === 'staff') requireStaff(context, parts)
      refuseQuery(context)
      const input = {
        ...parts,
        context,
        user: user as RouteInput<Params, Body, Who>['user'],
        params: readParams(context, params) as Params,
        body: (await readBody(context, body)) as Body,
      }
      const result = await handle(input)
      if (result instanceof Response) return result
      if (answer === undefined) return context.body(null, status as 204)
      return context.json(answer.parse(result) as object, status as 200)
    },
  }
}
