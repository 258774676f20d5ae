/** Short lists of our own: enough to look like life, and small enough to load with every test file. */

export const firstNames: readonly string[] = [
  'Ada', 'Bruno', 'Chidi', 'Dana', 'Elif', 'Farid', 'Greta', 'Hugo', 'Ines', 'Jonas', 'Kemi', 'Lars', 'Mina', 'Noah',
  'Olga', 'Pavel', 'Rosa', 'Sami', 'Tess', 'Uma', 'Vera', 'Wim', 'Yara', 'Zoe',
] // prettier-ignore

export const lastNames: readonly string[] = [
  'Abel', 'Bianchi', 'Costa', 'Dubois', 'Eriksen', 'Fischer', 'Garcia', 'Horvat', 'Ivanova', 'Jansen', 'Kowalski', 'Lopez',
  'Moreau', 'Novak', 'Okafor', 'Petrov', 'Quinn', 'Rossi', 'Silva', 'Tanaka', 'Ueda', 'Varga', 'Weber', 'Yilmaz',
] // prettier-ignore

export const cities: readonly string[] = [
  'Amsterdam', 'Bergen', 'Cordoba', 'Dublin', 'Eindhoven', 'Florence', 'Geneva', 'Hamburg', 'Izmir', 'Jena', 'Krakow', 'Lyon',
] // prettier-ignore

/** Name and code side by side. */
export const countries: readonly (readonly [name: string, two: string, three: string])[] = [
  ['Austria', 'AT', 'AUT'], ['Brazil', 'BR', 'BRA'], ['Canada', 'CA', 'CAN'], ['Denmark', 'DK', 'DNK'],
  ['Estonia', 'EE', 'EST'], ['France', 'FR', 'FRA'], ['Germany', 'DE', 'DEU'], ['Hungary', 'HU', 'HUN'],
  ['India', 'IN', 'IND'], ['Japan', 'JP', 'JPN'], ['Kenya', 'KE', 'KEN'], ['Latvia', 'LV', 'LVA'],
] // prettier-ignore

export const currencies: readonly string[] = ['EUR', 'USD', 'GBP', 'JPY', 'CHF', 'SEK', 'CAD', 'BRL', 'INR', 'PLN']

export const languages: readonly string[] = ['en', 'de', 'fr', 'es', 'it', 'nl', 'pl', 'pt', 'sv', 'tr']

export const timeZones: readonly string[] = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Tokyo', 'Africa/Nairobi']

export const streets: readonly string[] = [
  'Mill Lane',
  'High Street',
  'Station Road',
  'Park Avenue',
  'Church Street',
  'Harbour Way',
]

export const companies: readonly string[] = [
  'Acme',
  'Bluebird',
  'Copperfield',
  'Delta',
  'Evergreen',
  'Foxglove',
  'Granite',
  'Harbour',
]

export const colours: readonly string[] = ['red', 'green', 'blue', 'yellow', 'black', 'white', 'orange', 'purple']

export const mediaTypes: readonly string[] = [
  'text/plain',
  'image/png',
  'application/pdf',
  'application/json',
  'audio/mpeg',
]
