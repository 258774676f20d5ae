const namedEntities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }

/** Pages that a mail refers to: addresses in its text, then those of its HTML's links; each once. */
export function findLinks(text: string | undefined, html: string | undefined): readonly string[] {
  return [...new Set([...linksOfText(text ?? ''), ...linksOfHtml(html ?? '')])]
}

/** What a reader sees of HTML, roughly: enough to look for a code in it. */
export function textOfHtml(html: string): string {
  const shown = html.replaceAll(/<(style|script|head)\b[\s\S]*?<\/\1\s*>/gi, ' ').replaceAll(/<!--[\s\S]*?-->/g, ' ')
  return decodeEntities(shown.replaceAll(/<(\/?(p|div|br|tr|li|h\d|table)\b)[^>]*>/gi, '\n').replaceAll(/<[^>]*>/g, ''))
}

function linksOfText(text: string): readonly string[] {
  return [...text.matchAll(/\bhttps?:\/\/[^\s<>"]+/gi)].map(([found]) => withoutPunctuation(found))
}

/** `Go to (https://example.com/a?b=1).` ends before the bracket; a bracket that the address itself opens belongs to it. */
function withoutPunctuation(found: string): string {
  let link = found
  for (;;) {
    const last = link.at(-1) ?? ''
    const isOpened = (last === ')' && link.includes('(')) || (last === ']' && link.includes('['))
    if (!".,;:!?'*_)]}".includes(last) || last === '' || isOpened) return link
    link = link.slice(0, -1)
  }
}

function linksOfHtml(html: string): readonly string[] {
  const tags = html.replaceAll(/<!--[\s\S]*?-->/g, '').matchAll(/<a\b[^>]*?\bhref\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)/gi)
  return [...tags]
    .map(([, value = '']) => decodeEntities(value.replace(/^(["'])(.*)\1$/s, '$2')).trim())
    .filter((link) => link !== '' && !/^(#|mailto:|tel:|cid:|javascript:)/i.test(link))
}

function decodeEntities(text: string): string {
  return text.replaceAll(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) return namedEntities[String(name).toLowerCase()] ?? whole
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}
