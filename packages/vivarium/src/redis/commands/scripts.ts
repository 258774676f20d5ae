import { answer, fail, ok, pass, type PlanContext, type Planner, refuse, type SendPlan, word } from './plan.ts'
import type { Request } from '../protocol/request-parser.ts'

const noScript = 'NOSCRIPT No matching script. Please use EVAL.'

/**
 * A script's keys go to it as the client names them: what stands before the script puts the prefix to them (script-preamble.ts), and
 * to every other key that it makes up. The prefixes are its last arguments, and are taken away before it sees them.
 */
function runScript(request: Request, context: PlanContext, script: Buffer | string, digests: Digests): SendPlan {
  const count = Number(request[2]?.toString('latin1'))
  return {
    kind: 'send',
    request: [request[0]!, script, ...request.slice(2), context.keyPrefix, context.channelPrefix],
    keys: Number.isInteger(count) && count > 0 ? request.slice(3, 3 + count) : [],
    error: (text) => text.replaceAll(digests.wrappedDigest, digests.digest),
    writesUnknown: true,
  }
}

interface Digests {
  readonly digest: string
  readonly wrappedDigest: string
}

/** Whether the number of keys is one that the arguments allow: two more of ours follow them. */
function misfit(request: Request): string | undefined {
  const text = request[2]!.toString('latin1')
  if (!/^-?\d{1,15}$/.test(text)) return 'ERR value is not an integer or out of range'
  if (Number(text) > request.length - 3) return "ERR Number of keys can't be greater than number of args"
  return Number(text) < 0 ? "ERR Number of keys can't be negative" : undefined
}

const evaluate: Planner = (request, context) => {
  if (request.length < 3) return pass(request)
  const wrong = misfit(request)
  if (wrong !== undefined) return fail(wrong)
  const wrapped = context.scripts.wrap(request[1]!)
  return runScript(request, context, wrapped.source, wrapped)
}

const evaluateDigest: Planner = (request, context) => {
  if (request.length < 3) return pass(request)
  const wrong = misfit(request)
  if (wrong !== undefined) return fail(wrong)
  const digest = word(request, 1)
  const wrappedDigest = context.scripts.wrappedDigest(digest)
  if (wrappedDigest === undefined) return fail(noScript)
  return runScript(request, context, wrappedDigest, { digest, wrappedDigest })
}

const nowhere = '0'.repeat(40)

/** EVAL and what is about scripts. */
export const scriptCommands: Readonly<Record<string, Planner>> = {
  eval: evaluate,
  eval_ro: evaluate,
  evalsha: evaluateDigest,
  evalsha_ro: evaluateDigest,
  'script|load': (request, { scripts }) => {
    if (request.length !== 3) return pass(request)
    const { source, digest } = scripts.wrap(request[2]!, true)
    return {
      kind: 'send',
      request: [...request.slice(0, 2), source],
      keys: [],
      reply: (reply) => (reply.type === '$' ? { ...reply, bytes: Buffer.from(digest) } : reply),
    }
  },
  'script|exists': (request, { scripts }) => ({
    kind: 'send',
    request: request.map((argument, index) =>
      index < 2 ? argument : (scripts.wrappedDigest(argument.toString('latin1').toLowerCase()) ?? nowhere),
    ),
    keys: [],
  }),
  'script|flush': (request, { scripts }) => {
    if (request.length > 3 || (request.length === 3 && !['async', 'sync'].includes(word(request, 2)))) {
      return fail('ERR SCRIPT FLUSH only support SYNC|ASYNC option')
    }
    scripts.flush()
    return answer(ok)
  },
  'script|help': pass,
  script: () => refuse("it concerns the scripts of every test on the server, not this sandbox's"),
}
