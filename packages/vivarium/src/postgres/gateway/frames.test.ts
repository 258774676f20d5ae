import { beforeEach, expect, test } from 'vitest'
import { begin, fail, initialState, pushSavepoint } from './connection-state.ts'
import type { ConnectionState } from './connection-state.ts'
import { Frames } from './frames.ts'
import type { Frame, FrameOwner } from './frames.ts'
import { noSettings, withSetting } from './settings.ts'

class Owner implements FrameOwner {
  state: ConnectionState = initialState
  readonly id: number

  constructor(id: number) {
    this.id = id
  }

  /** Inside a transaction with so many savepoints. */
  inTransaction(savepoints = 0): this {
    this.state = begin(initialState, 1, {})
    for (let at = 0; at < savepoints; at += 1) this.state = pushSavepoint(this.state, `s${at}`)
    return this
  }
}

let lost: string[] = []
let frames = new Frames(() => undefined)
let [one, two, three] = [new Owner(1), new Owner(2), new Owner(3)]

beforeEach(() => {
  lost = []
  frames = new Frames(({ lost: work, by, reason }) => {
    lost.push(`${work.map(({ text, owner }) => `${text} of ${owner.id}`).join(', ')}: ${by?.id} ${reason}`)
  })
  ;[one, two, three] = [new Owner(1).inTransaction(), new Owner(2), new Owner(3)]
})

/** The owner's unit or transaction begins, and its savepoint is made. */
function opened(owner: Owner): Frame {
  frames.enter(owner)
  frames.uncover()
  frames.current.state = 'open'
  return frames.current
}

/** The owner's unit succeeds, having changed something. */
function worked(owner: Owner, text: string): void {
  const frame = opened(owner)
  frames.changed(text)
  frames.end(frame, 'done')
  frames.workStays(frame)
}

test('units one after the other share the outermost place', () => {
  expect([opened(one).index, frames.current.name]).toEqual([0, 'vivarium_unit'])
  frames.end(frames.current, 'done')
  expect(opened(two).index).toBe(0)
  expect(frames.host).toBeUndefined()
})

test('one that begins while another is open is inside of it, under a name of its own, and going back finds each its own', () => {
  const outer = opened(one)
  const inner = opened(two.inTransaction())
  expect([inner.index, inner.name, frames.host]).toEqual([1, 'vivarium_unit1', outer])
  frames.enter(one)
  expect([frames.current, frames.isCovered]).toEqual([outer, true])
  frames.enter(three)
  expect(frames.current.index).toBe(2)
})

test('going on ends what has finished inside: released where its work stays, undone first where it goes', () => {
  opened(one)
  const inner = opened(two)
  frames.end(inner, 'done')
  frames.enter(one)
  expect(frames.uncover()).toEqual({ statements: ['RELEASE SAVEPOINT vivarium_unit1'], wentBackTo: undefined })
  expect(frames.isCovered).toBe(false)

  const failed = opened(two)
  failed.appliedAtStart = withSetting(noSettings, 'a', 'SET a TO 1')
  frames.end(failed, 'failed')
  frames.enter(one)
  expect(frames.uncover()).toEqual({
    statements: ['ROLLBACK TO SAVEPOINT vivarium_unit1', 'RELEASE SAVEPOINT vivarium_unit1'],
    wentBackTo: failed.appliedAtStart,
  })
})

test('several that have finished inside each other end together', () => {
  opened(one)
  const middle = opened(two.inTransaction())
  const inner = opened(three)
  frames.end(inner, 'failed')
  frames.end(middle, 'done')
  frames.enter(one)
  expect(frames.uncover().statements).toEqual([
    'ROLLBACK TO SAVEPOINT vivarium_unit2',
    'RELEASE SAVEPOINT vivarium_unit1',
  ])
})

test('a rollback of the outer one takes along what is inside: nothing is sent for that', () => {
  const outer = opened(one)
  frames.end(opened(two), 'done')
  frames.end(outer, 'failed')
  frames.enter(one)
  expect(frames.uncover()).toEqual({ statements: [], wentBackTo: undefined })
})

test('work that was committed inside is lost when the outer one goes, and stays when that one stays', () => {
  const outer = opened(one)
  worked(two, 'insert')
  frames.workStays(outer)
  expect(lost).toEqual([])
  worked(two, 'update')
  frames.workGoes(outer, 'rolled back')
  expect(lost).toEqual(['update of 2: 1 rolled back'])
})

test('what the outer one itself did, and what was undone inside, is not lost work', () => {
  const outer = opened(one)
  frames.changed('its own')
  const inner = opened(two)
  frames.changed('undone')
  frames.end(inner, 'failed')
  frames.workGoes(inner, 'failed')
  frames.workGoes(outer, 'rolled back')
  expect(lost).toEqual([])
})

test('a rollback to a savepoint loses what was committed behind it only, and a release moves it outwards', () => {
  one.inTransaction(1)
  const outer = opened(one)
  worked(two, 'first')
  one.inTransaction(2)
  worked(two, 'second')
  frames.rolledBackTo(outer, 1, 'to s1')
  expect(lost).toEqual(['second of 2: 1 to s1'])
  worked(two, 'third')
  frames.released(outer, 1)
  frames.rolledBackTo(outer, 1, 'to s1 again')
  expect(lost).toHaveLength(1)
  frames.rolledBackTo(outer, 0, 'to s0')
  expect(lost.at(-1)).toBe('first of 2, third of 2: 1 to s0')
})

test('work passes outwards with each commit: the outermost rollback loses all of it', () => {
  const outer = opened(one)
  const middle = opened(two.inTransaction())
  worked(three, 'innermost')
  frames.enter(two)
  frames.changed('middle')
  frames.end(middle, 'done')
  frames.workStays(middle)
  frames.workGoes(outer, 'rolled back')
  expect(lost).toEqual(['innermost of 3, middle of 2: 1 rolled back'])
})

test('what is committed inside a transaction that has ended already is lost at once', () => {
  const outer = opened(one)
  const inner = opened(two.inTransaction())
  frames.changed('insert')
  frames.end(outer, 'failed')
  frames.workGoes(outer, 'closed')
  expect(lost).toEqual([])
  frames.end(inner, 'done')
  frames.workStays(inner)
  expect(lost).toEqual(['insert of 2: 1 before it had ended'])
})

test('work inside a failed transaction whose innermost savepoint was left counts as outside of that savepoint', () => {
  one.inTransaction(1)
  const outer = opened(one)
  one.state = fail(one.state)
  outer.reopens = true
  worked(two, 'audit')
  outer.reopens = false
  frames.rolledBackTo(outer, 0, 'to s0')
  expect(lost).toEqual([])
})
