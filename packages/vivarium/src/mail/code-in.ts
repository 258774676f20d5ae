import { VivariumError } from '../core/errors.ts'
import type { ObservedMail } from '../core/interactions.ts'
import { textOfHtml } from './find-links.ts'
import { shorten } from './render.ts'

/**
 * The code, token or number that a mail tells its reader: the first group of `pattern`, or all of it when it has none. Looked for in the text,
 * then in what the HTML shows, the links and the subject. Throws `MAIL_CODE_NOT_FOUND`.
 *
 * @example
 * ```ts
 * import { currentSandbox } from 'vivarium'
 * import { codeIn } from 'vivarium/mail'
 *
 * const mail = await currentSandbox().mail.received({ subject: 'Verify your email' })
 * const token = codeIn(mail, /token=([\w-]+)/)
 * ```
 */
export function codeIn(mail: ObservedMail, pattern: RegExp): string {
  const places = [mail.text ?? '', textOfHtml(mail.html ?? ''), ...mail.links, mail.subject]
  // Whatever its flags: `g` and `y` would go on from where they last found something.
  const once = new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, ''))
  for (const place of places) {
    const found = once.exec(place)
    if (found !== null) return found[1] ?? found[0]
  }
  throw new VivariumError('MAIL_CODE_NOT_FOUND', {
    what: `Nothing in the mail "${shorten(mail.subject, 40)}" matches ${String(pattern)}.`,
    seen: shorten(places.find((place) => place.trim() !== '') ?? 'an empty mail', 300),
    remedy:
      'Change the pattern, or what the application writes. The text, the HTML, the links and the subject were looked at.',
  })
}
