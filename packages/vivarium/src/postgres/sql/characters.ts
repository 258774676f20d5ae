/** Character classes of PostgreSQL's scanner (scan.l), as bits in {@link characterClass}. */
export const isSpace = 1
/** A letter, underscore or anything outside ASCII. */
export const isIdentifierStart = 2
/** A decimal digit. */
export const isDigit = 4
/** A character that operators are made of. */
export const isOperator = 8
const isDollar = 16
/** What may follow the first character of an identifier. */
export const isIdentifierPart: number = isIdentifierStart | isDigit | isDollar

const classes = new Uint8Array(128)
for (const character of ' \t\n\r\f\v') classes[character.charCodeAt(0)] = isSpace
for (const character of '~!@#^&|`?+-*/%<>=') classes[character.charCodeAt(0)] = isOperator
for (let code = 48; code <= 57; code++) classes[code] = isDigit
for (let code = 65; code <= 90; code++) classes[code] = classes[code + 32] = isIdentifierStart
classes[95] = isIdentifierStart
classes[36] = isDollar

/** The class bits of a UTF-16 code; every non-ASCII character belongs to identifiers, spaces included, as on the server. */
export function characterClass(code: number): number {
  return code < 128 ? (classes[code] as number) : code >= 128 ? isIdentifierStart : 0
}
