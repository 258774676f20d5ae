import { answer, pass, type Planner } from './plan.ts'
import { stripItems } from './reply-keys.ts'

const publish: Planner = (request, { channelPrefix }) => {
  if (request.length !== 3) return pass(request)
  const channel = Buffer.concat([channelPrefix, request[1]!])
  return { kind: 'send', request: [request[0]!, channel, request[2]!], keys: [] }
}

const list: Planner = (request, { channelPrefix }) => {
  if (request.length > 3) return pass(request)
  const pattern = Buffer.concat([channelPrefix, request[2] ?? Buffer.from('*')])
  return { kind: 'send', request: [...request.slice(0, 2), pattern], keys: [], reply: stripItems(channelPrefix) }
}

const count: Planner = (request, { channelPrefix }) => ({
  kind: 'send',
  request: request.map((argument, index) => (index < 2 ? argument : Buffer.concat([channelPrefix, argument]))),
  keys: [],
  reply: stripItems(channelPrefix, (index) => index % 2 === 0),
})

/** What is published, and who listens. SUBSCRIBE and its like belong to a connection: gateway/subscriptions.ts. */
export const channelCommands: Readonly<Record<string, Planner>> = {
  publish,
  spublish: publish,
  'pubsub|channels': list,
  'pubsub|shardchannels': list,
  'pubsub|numsub': count,
  'pubsub|shardnumsub': count,
  'pubsub|numpat': (request, { patterns }) =>
    request.length === 2 ? answer({ type: ':', text: String(patterns()) }) : pass(request),
  pubsub: pass,
}
