// Every endpoint refuses bad input by name. The first table is made of the routes themselves, the second one says what each
// refuses beyond that; what a route declares and no line here shows fails the last test.
import { describe, expect, test } from 'vitest'
import { currentSandbox } from 'vivarium'
import { refusalsOf } from '../../src/http/openapi.ts'
import { refusals } from '../../src/http/refusals.ts'
import type { RefusalCode } from '../../src/http/refusals.ts'
import type { Route } from '../../src/http/route.ts'
import { routes } from '../../src/http/routes.ts'
import { given } from '../support/factories.ts'
import { openTestApp, signedIn, staffToken } from '../support/test-app.ts'
import type { Asking } from '../support/test-app.ts'

const { shop, ask } = openTestApp()

/** `POST /api/orders`, with ids in the place of parameters. */
function nameOf({ method, path }: Route): string {
  return `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, '1')}`
}

const json = { 'content-type': 'application/json' }
const wrongBodies: [RefusalCode, Asking][] = [
  ['unsupported_media_type', { text: 'email=ada@example.com', headers: { 'content-type': 'text/plain' } }],
  ['unsupported_media_type', { text: '' }],
  ['malformed_json', { text: '{"email": ', headers: json }],
  ['malformed_json', { text: '', headers: json }],
  ['malformed_body', { json: [] }],
  ['malformed_body', { json: null }],
  ['body_too_large', { text: `{"email": "${'x'.repeat(65_536)}"}`, headers: json }],
]

/** What all routes of a kind refuse alike. */
const refusedByKind: [route: string, RefusalCode, Asking][] = routes.flatMap((route) => {
  const name = nameOf(route)
  const cases: [string, RefusalCode, Asking][] = [[`${name}?colour=red`, 'unknown_parameter', {}]]
  if (route.access === 'user')
    cases.push([name, 'not_signed_in', {}], [name, 'not_signed_in', { token: 'x'.repeat(43) }])
  if (route.access === 'staff') cases.push([name, 'not_staff', {}], [name, 'not_staff', { token: 'x'.repeat(43) }])
  if (route.body !== undefined)
    cases.push(...wrongBodies.map((wrong): [string, RefusalCode, Asking] => [name, ...wrong]))
  return cases
})

const notification = { kind: 'order_paid', text: 'Your order is paid' }

/** What is theirs alone. The user who asks is signed in, has a card, and the only product, number 1, is out of stock. */
const refusedByRoute: [route: string, RefusalCode, body?: unknown][] = [
  ['POST /api/users', 'malformed_email', { password: 'correct horse' }],
  ['POST /api/users', 'malformed_email', { email: 'ada at example', password: 'correct horse' }],
  ['POST /api/users', 'malformed_email', { email: `${'a'.repeat(250)}@example.com`, password: 'correct horse' }],
  ['POST /api/users', 'malformed_password', { email: 'grace@example.com' }],
  ['POST /api/users', 'malformed_password', { email: 'grace@example.com', password: 'x'.repeat(201) }],
  ['POST /api/users', 'malformed_password', { email: 'grace@example.com', password: 'correct \0 horse' }],
  ['POST /api/users', 'weak_password', { email: 'grace@example.com', password: '123456789' }],
  ['POST /api/users', 'email_taken', { email: 'Ada@Example.com', password: 'correct horse' }],
  ['POST /api/users', 'unknown_field', { email: 'grace@example.com', password: 'correct horse', isStaff: true }],
  ['POST /api/session', 'malformed_email', { email: 1, password: 'correct horse' }],
  ['POST /api/session', 'malformed_password', { email: 'ada@example.com', password: ['correct'] }],
  ['POST /api/session', 'wrong_credentials', { email: 'ada@example.com', password: 'correct horse' }],
  ['POST /api/session', 'unknown_field', { email: 'ada@example.com', password: 'correct horse', remember: true }],
  ['POST /api/orders', 'malformed_items', {}],
  ['POST /api/orders', 'malformed_items', { items: 'all of them' }],
  ['POST /api/orders', 'malformed_items', { items: Array(51).fill({ productId: 1, quantity: 1 }) }],
  ['POST /api/orders', 'malformed_product_id', { items: [{ productId: 2_147_483_648, quantity: 1 }] }],
  ['POST /api/orders', 'malformed_product_id', { items: [{ productId: '1', quantity: 1 }] }],
  ['POST /api/orders', 'malformed_quantity', { items: [{ productId: 1, quantity: 0 }] }],
  ['POST /api/orders', 'malformed_quantity', { items: [{ productId: 1, quantity: 1.5 }] }],
  ['POST /api/orders', 'malformed_quantity', { items: [{ productId: 1, quantity: 1001 }] }],
  ['POST /api/orders', 'unknown_field', { items: [{ productId: 1, quantity: 1, priceCents: 1 }] }],
  ['POST /api/orders', 'unknown_field', { items: [], userId: 2 }],
  ['POST /api/orders', 'empty_order', { items: [] }],
  ['POST /api/orders', 'unknown_product', { items: [{ productId: 2, quantity: 1 }] }],
  ['POST /api/orders', 'out_of_stock', { items: [{ productId: 1, quantity: 1 }] }],
  ['POST /api/onboarding/verify', 'malformed_token', { token: 'guess' }],
  ['POST /api/onboarding/verify', 'unknown_token', { token: 'x'.repeat(43) }],
  ['POST /api/onboarding/verify', 'unknown_field', { token: 'x'.repeat(43), userId: 1 }],
  ['POST /api/onboarding/profile', 'malformed_first_name', { lastName: 'Lovelace' }],
  ['POST /api/onboarding/profile', 'malformed_last_name', { firstName: 'Ada', lastName: '' }],
  ['POST /api/onboarding/profile', 'malformed_bio', { firstName: 'Ada', lastName: 'Lovelace', bio: null }],
  ['POST /api/onboarding/profile', 'unknown_field', { firstName: 'Ada', lastName: 'Lovelace', state: 'active' }],
  ['POST /api/onboarding/profile', 'step_out_of_order', { firstName: 'Ada', lastName: 'Lovelace' }],
  ['POST /api/onboarding/payment', 'malformed_card_token', { cardToken: '4242 4242 4242 4242' }],
  ['POST /api/onboarding/payment', 'unknown_field', { cardToken: 'tok_visa', amount: 1 }],
  ['POST /api/onboarding/payment', 'step_out_of_order', { cardToken: 'tok_visa' }],
  ['POST /api/onboarding/activate', 'step_out_of_order'],
  ['GET /api/users/0/profile', 'malformed_user_id'],
  ['GET /api/users/2/profile', 'not_yours'],
  ['GET /api/users/1/profile', 'unknown_profile'],
  ['PATCH /api/users/me/profile', 'malformed_user_id', { bio: 'Hello' }],
  ['PATCH /api/users/2/profile', 'not_yours', { bio: 'Hello' }],
  ['PATCH /api/users/1/profile', 'unknown_profile', { bio: 'Hello' }],
  ['PATCH /api/users/1/profile', 'malformed_first_name', { firstName: ' ' }],
  ['PATCH /api/users/1/profile', 'malformed_last_name', { lastName: null }],
  ['PATCH /api/users/1/profile', 'malformed_bio', { bio: 'x'.repeat(2001) }],
  ['PATCH /api/users/1/profile', 'nothing_to_change', {}],
  ['PATCH /api/users/1/profile', 'unknown_field', { userId: 2 }],
  ['GET /api/users/-1/notifications', 'malformed_user_id'],
  ['GET /api/users/2/notifications', 'not_yours'],
  ['POST /internal/notifications', 'malformed_user_ids', { userIds: [], notification }],
  ['POST /internal/notifications', 'malformed_user_id', { userIds: ['1'], notification }],
  ['POST /internal/notifications', 'malformed_notification', { userIds: [1] }],
  [
    'POST /internal/notifications',
    'malformed_kind',
    { userIds: [1], notification: { ...notification, kind: 'Order paid' } },
  ],
  ['POST /internal/notifications', 'malformed_text', { userIds: [1], notification: { ...notification, text: ' ' } }],
  ['POST /internal/notifications', 'unknown_field', { userIds: [1], notification, toAll: true }],
  ['GET /api/orders/01', 'malformed_order_id'],
  ['GET /api/orders/2147483648', 'malformed_order_id'],
  ['GET /api/orders/1%20or%201=1', 'malformed_order_id'],
  ['GET /api/orders/1', 'unknown_order'],
]

function tokenFor(route: string, ofUser: string): string {
  return route.includes('/internal/') ? staffToken : ofUser
}

describe('what comes wrong is refused, before anything else happens', () => {
  test.each(refusedByKind)('%s: %s', async (route, error, asking) => {
    // Given who may ask, unless it is about that
    const { token } = await signedIn(shop)
    const isAboutWho = error === 'not_signed_in' || error === 'not_staff'
    const credentials = isAboutWho ? {} : { token: tokenFor(route, token) }

    // When they ask wrongly
    const seen = await currentSandbox().observe(() => ask(route, { ...credentials, ...asking }))

    // Then it is refused by name, and nothing is written or sent
    const [status, message] = refusals[error]
    expect(seen.result).toMatchObject({ status, body: { error, message, requestId: expect.any(String) } })
    expect(seen.queries.filter(({ command }) => command !== 'SELECT')).toEqual([])
    expect(seen.mails).toEqual([])
  })
})

describe('what an endpoint cannot do is refused by its own names', () => {
  test.each(refusedByRoute)('%s: %s (%j)', async (route, error, body) => {
    // Given a user who is signed in, and a product that is out of stock
    const { token } = await signedIn(shop)
    await given.insert('product', { stock: 0 })

    // When they ask for it
    const answer = await ask(route, { token: tokenFor(route, token), json: body })

    // Then it is refused by name
    expect(answer).toMatchObject({ status: refusals[error][0], body: { error } })
  })
})

test('every refusal that a route declares is shown above', () => {
  // Given what is shown, by route and name
  const shown = [...refusedByKind, ...refusedByRoute].map(([route, error]) => `${route.replace(/[?].*/, '')} ${error}`)

  // Then what is missing is what another file shows, or what only happens when a user is deleted meanwhile, or we fail
  const elsewhere = [
    'POST /api/orders payment_failed', // orders.test.ts
    'POST /api/orders order_too_large', // orders.test.ts
    'POST /api/onboarding/start step_out_of_order', // onboarding.test.ts, with the next three
    'POST /api/onboarding/verify used_token',
    'POST /api/onboarding/verify expired_token',
    'POST /api/onboarding/payment card_declined',
  ]
  const declared = routes.flatMap((route) =>
    refusalsOf(route)
      .filter((code) => code !== 'internal_error' && code !== 'unknown_user')
      .filter((code) => !elsewhere.includes(`${nameOf(route)} ${code}`))
      .map((code) => [nameOf(route), code] as const),
  )
  const missing = declared.filter(([name, code]) => {
    const pattern = new RegExp(`^${name.replaceAll('/1', '/[^/]+')} ${code}$`)
    return !shown.some((one) => pattern.test(one))
  })
  expect(missing).toEqual([])
})
