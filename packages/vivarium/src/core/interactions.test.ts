import { expect, test } from 'vitest'
import { type Interaction, Recorder } from './interactions.ts'

const command = (name: string): Interaction => ({ component: 'redis', command: name }) as Interaction

test('an interaction that may never be read is put into words once, when somebody reads it, in its place', () => {
  const recorder = new Recorder()
  let observed = 0
  const unread = (name: string): { observe(): Interaction } => ({
    observe: () => {
      observed++
      return command(name)
    },
  })
  recorder.recordUnread(unread('GET'))
  recorder.recordUnread(unread('SET'))
  expect(observed).toBe(0)
  recorder.record(command('DEL'))
  recorder.recordUnread(unread('TTL'))
  const names = (): string[] => recorder.interactions.map((one) => (one as { command: string }).command)
  expect([names(), names()]).toEqual([
    ['GET', 'SET', 'DEL', 'TTL'],
    ['GET', 'SET', 'DEL', 'TTL'],
  ])
  expect([observed, recorder.since(3)]).toEqual([3, [command('TTL')]])
})

test('who follows a trace is told of each at once', () => {
  const recorder = new Recorder()
  const told: Interaction[] = []
  const stop = recorder.follow((interaction) => told.push(interaction))
  recorder.recordUnread({ observe: () => command('GET') })
  expect(told).toEqual([command('GET')])
  stop()
  expect(recorder.interactions).toEqual(told)
})
