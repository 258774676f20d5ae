import { expect, test } from 'vitest'
import { SandboxFailures, VivariumError } from './errors.ts'

test('several failures are listed one under the other, none wider than a terminal', () => {
  const long = new VivariumError('CONFIG_INVALID', {
    what: 'It happened.',
    seen: 'first line\n    second line',
    remedy: 'Do this, which takes many words to say, and which no terminal of eighty columns shows on one line.',
  })
  expect(new SandboxFailures('Sandbox "a"', [long, 'a string']).message).toBe(
    [
      'Sandbox "a": 2 failures at close',
      '1) It happened.',
      '     Seen: first line',
      '       second line',
      '     What to do: Do this, which takes many words to say, and which no terminal',
      '       of eighty columns shows on one line.',
      '     (CONFIG_INVALID)',
      '',
      '2) a string',
    ].join('\n'),
  )
})
