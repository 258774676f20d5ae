export interface OutgoingMail {
  readonly to: string
  readonly subject: string
  readonly text: string
}

/** The mail service. Resolves when the service has taken the mail over; one that cannot be reached, or refuses, throws. */
export interface Mailer {
  send(mail: OutgoingMail): Promise<void>
}
