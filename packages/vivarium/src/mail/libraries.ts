/**
 * What is used of the SMTP server and of the MIME parser, in one module that is loaded with the first connection of a mail client.
 * The build makes one file of it, with real timers: docs/decisions/080.
 */
export { simpleParser } from 'mailparser'
export { SMTPServer } from 'smtp-server'
export { SMTPConnection } from 'smtp-server/lib/smtp-connection.js'
export type { ParsedMail } from 'mailparser'
