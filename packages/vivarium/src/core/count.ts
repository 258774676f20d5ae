/** `1 mail`, `2 mails`; `many` where the plural is another word: `2 queries`. */
export function count(number: number, one: string, many: string = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`
}
