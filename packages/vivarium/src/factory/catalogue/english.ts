/** Words whose plural no rule gives, as table names have them. */
const irregular: Readonly<Record<string, string>> = {
  addresses: 'address',
  analyses: 'analysis',
  aliases: 'alias',
  buses: 'bus',
  children: 'child',
  criteria: 'criterion',
  data: 'data',
  feet: 'foot',
  indices: 'index',
  leaves: 'leaf',
  lives: 'life',
  matrices: 'matrix',
  men: 'man',
  mice: 'mouse',
  movies: 'movie',
  news: 'news',
  people: 'person',
  series: 'series',
  species: 'species',
  statuses: 'status',
  teeth: 'tooth',
  vertices: 'vertex',
  women: 'woman',
}

/** The singular of a plain English plural, of its last word: `order_items` → `order_item`; a word that is none stays. */
export function singularOf(name: string): string {
  const [, head = '', word = name] = /^(.*?)([A-Za-z]+)$/.exec(splitLast(name)) ?? []
  return (head + singularWord(word)).replaceAll('\0', '')
}

/** Marks where the last word of a camelCase name begins. */
function splitLast(name: string): string {
  return name.replace(/([a-z0-9])([A-Z][a-z]*)$/, '$1\0$2')
}

function singularWord(word: string): string {
  const lower = word.toLowerCase()
  const known = irregular[lower]
  if (known !== undefined) return word[0] === lower[0] ? known : known.charAt(0).toUpperCase() + known.slice(1)
  if (/[^aeiou]ies$/i.test(word) && word.length > 4) return `${word.slice(0, -3)}y`
  if (/(ss|sh|ch|x|zz)es$/i.test(word)) return word.slice(0, -2)
  if (/(ss|us|is)$/i.test(word) || !/s$/i.test(word)) return word
  return word.slice(0, -1)
}

/** `order_items` → `orderItems`. */
export function camelCased(name: string): string {
  return name.replaceAll(/(?<=[a-zA-Z0-9])_+([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase())
}
