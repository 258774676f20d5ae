import { expect, test } from 'vitest'
import { findRoutineSettings } from './routine-settings.ts'

test.each<[string, boolean, string[]]>([
  [`begin perform set_config('App.Tenant', t, false); end`, true, ['app.tenant']],
  [`begin perform set_config('app.tenant', t, true); end`, true, []],
  [`begin perform set_config(name, t, is_local); end`, true, []],
  [`begin set local work_mem = '1MB'; end`, true, []],
  [`begin if x then reset role; end if; end`, true, []],
  [`begin execute format('set local role %I', r); end`, true, []],
  [`begin execute $q$select set_config('app.x', '1', false)$q$; end`, true, ['app.x']],
  [`begin update items set qty = 1; return new; end`, false, []],
  [`select set_config from settings`, false, []],
])('what a body does to settings: %s', (body, sets, session) => {
  expect(findRoutineSettings(body)).toEqual({ sets, session })
})
