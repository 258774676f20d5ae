/** Everything that the API refuses, by name: the status that it is answered with, and what it says. */
export const refusals = {
  malformed_json: [400, 'The body is not valid JSON.'],
  malformed_body: [400, 'The body is not an object with the fields of this endpoint.'],
  unknown_field: [400, 'The body has a field that this endpoint does not know.'],
  unknown_parameter: [400, 'The URL has a query parameter that this endpoint does not know.'],
  malformed_email: [400, 'The email is not an address.'],
  malformed_password: [400, 'The password is not a text of at most 200 characters.'],
  malformed_user_id: [400, 'The user id is not a positive whole number.'],
  malformed_order_id: [400, 'The order id is not a positive whole number.'],
  malformed_items: [400, 'The items are not a list of at most 50 products with their quantities.'],
  malformed_product_id: [400, 'The product id is not a positive whole number.'],
  malformed_quantity: [400, 'The quantity is not a whole number from 1 to 1000.'],
  malformed_first_name: [400, 'The first name is not a text of 1 to 100 characters.'],
  malformed_last_name: [400, 'The last name is not a text of 1 to 100 characters.'],
  malformed_bio: [400, 'The bio is not a text of at most 2000 characters.'],
  malformed_user_ids: [400, 'The user ids are not a list of 1 to 1000 ids.'],
  malformed_notification: [400, 'The notification is not an object with a kind and a text.'],
  malformed_kind: [400, 'The kind of the notification is not a name like order_paid.'],
  malformed_text: [400, 'The text of the notification is not one of 1 to 500 characters.'],
  malformed_token: [400, 'The token is not one that the shop mails.'],
  malformed_card_token: [400, 'The card token is not what the payment provider gives in place of a card.'],
  not_signed_in: [401, 'Sign in first: this endpoint wants the session’s cookie, or its token as a bearer.'],
  wrong_credentials: [401, 'No user has this email and this password.'],
  not_staff: [401, 'This endpoint wants the token of the shop’s staff as a bearer.'],
  not_yours: [403, 'This belongs to another user.'],
  unknown_route: [404, 'There is no such endpoint: see /openapi.json.'],
  unknown_order: [404, 'You have no such order.'],
  unknown_profile: [404, 'The user has no profile yet.'],
  method_not_allowed: [405, 'This endpoint does not take the method: see the Allow header.'],
  email_taken: [409, 'A user with this email has registered.'],
  out_of_stock: [409, 'Not everything is in stock in this quantity.'],
  step_out_of_order: [409, 'It is not the turn of this step: see GET /api/onboarding.'],
  used_token: [409, 'The token has been used.'],
  body_too_large: [413, 'The body is larger than 64 KiB.'],
  unsupported_media_type: [415, 'The body is to be sent as application/json.'],
  weak_password: [422, 'The password is too short: it wants at least 10 characters.'],
  empty_order: [422, 'An order wants at least one item.'],
  order_too_large: [422, 'No order has a total of more than 2147483647 cents.'],
  unknown_product: [422, 'There is no such product.'],
  unknown_user: [422, 'There is no such user.'],
  unknown_token: [422, 'The shop has mailed no such token, or a newer one has replaced it.'],
  expired_token: [422, 'The token has expired: start again to be mailed another one.'],
  card_declined: [422, 'The payment provider does not accept the card.'],
  nothing_to_change: [422, 'The body names nothing to change.'],
  payment_failed: [422, 'The card was not charged: there is none, or it was declined.'],
  internal_error: [500, 'Something went wrong on our side. The request id finds it in our logs.'],
} as const satisfies Record<string, readonly [status: number, message: string]>

export type RefusalCode = keyof typeof refusals

/** Thrown by whatever answers a request; becomes the answer. */
export class Refusal extends Error {
  readonly code: RefusalCode
  /** Where in the body, as a JSON pointer; `undefined` where it is the request as a whole. */
  readonly at: string | undefined

  constructor(code: RefusalCode, at?: string) {
    super(refusals[code][1])
    this.code = code
    this.at = at
  }

  get status(): (typeof refusals)[RefusalCode][0] {
    return refusals[this.code][0]
  }
}

export function isRefusalCode(name: string): name is RefusalCode {
  return Object.hasOwn(refusals, name)
}

/** A result of the shop's that is `ok`; one that is not is refused by its own name. */
export function orRefuse<R extends { readonly ok: true } | { readonly ok: false; readonly error: RefusalCode }>(
  result: R,
): Extract<R, { readonly ok: true }> {
  if (!result.ok) throw new Refusal(result.error)
  return result as Extract<R, { readonly ok: true }>
}
