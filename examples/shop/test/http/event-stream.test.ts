// What becomes of an event stream whose reader is slow, or gone.
import { expect, test } from 'vitest'
import { openEventStream } from '../../src/http/event-stream.ts'

const quiet = { heartbeatMs: 60_000, signals: [] }

test('what is sent waits for its reader, in order', async () => {
  const stream = openEventStream(quiet)
  stream.send('new_notification', { text: 'two\nlines' })
  stream.send('new_notification', { text: 'next' })
  stream.end()
  expect(await new Response(stream.body).text()).toBe(
    'retry: 1000\n\n' +
      'event: new_notification\ndata: {"text":"two\\nlines"}\n\n' +
      'event: new_notification\ndata: {"text":"next"}\n\n',
  )
})

test('a reader who is too far behind is let go, and what they have been sent is bounded', async () => {
  // Given a reader who does not read
  const stream = openEventStream({ ...quiet, mostWaiting: 3 })

  // When more is sent than may wait
  for (let number = 1; number <= 10; number++) stream.send('n', number)

  // Then the stream has ended after what was allowed
  await stream.ended
  expect(await new Response(stream.body).text()).toBe('retry: 1000\n\nevent: n\ndata: 1\n\nevent: n\ndata: 2\n\n')
})

test('a reader who goes away ends it', async () => {
  const stream = openEventStream(quiet)
  await stream.body.cancel()
  await stream.ended
  stream.send('n', 1)
})

test('it ends by itself after its time, so that nobody listens for longer than they may', async () => {
  const stream = openEventStream({ ...quiet, lifetimeMs: 1 })
  await stream.ended
  expect(await new Response(stream.body).text()).toBe('retry: 1000\n\n')
})

test('one that is opened when all is over is over at once', async () => {
  const stream = openEventStream({ ...quiet, signals: [AbortSignal.abort()] })
  await stream.ended
})
