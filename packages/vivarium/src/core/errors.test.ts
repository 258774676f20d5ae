import { expect, test } from 'vitest'
import { SandboxFailures, VivariumError } from './errors.ts'

test('several failures are listed one under the other, each as it is, further in', () => {
  const one = new VivariumError('CONFIG_INVALID', {
    what: 'It happened.',
    seen: 'first line\n    second line',
    remedy: 'Do this.',
  })
  expect(new SandboxFailures('Sandbox "a"', [one, 'a string']).message).toBe(
    [
      'Sandbox "a": 2 failures at close',
      '1) It happened.',
      '     Seen: first line',
      '       second line',
      '     What to do: Do this.',
      '     (CONFIG_INVALID)',
      '',
      '2) a string',
    ].join('\n'),
  )
})
