import { expect, test } from 'vitest'
import { ScriptPreamble } from '../commands/script-preamble.ts'
import { ScriptStore } from './script-store.ts'

test('of scripts that were only run the last ones are kept, and all that were loaded', () => {
  const scripts = new ScriptStore(new ScriptPreamble({})).view()
  const loaded = scripts.wrap(Buffer.from('return "loaded"'), true)
  const used = scripts.wrap(Buffer.from('return "used"'))
  const first = scripts.wrap(Buffer.from('return 0'))
  for (let number = 1; number < 500; number++) {
    scripts.wrap(Buffer.from(`return ${number}`))
    scripts.wrap(Buffer.from('return "used"'))
  }
  expect([loaded, used, first].map(({ digest }) => scripts.wrappedDigest(digest))).toEqual([
    loaded.wrappedDigest,
    used.wrappedDigest,
    undefined,
  ])
})
