import { expect, test } from 'vitest'
import { insert } from '../../src/factory/index.ts'
import { inSandbox } from './in-sandbox.ts'
import { useMigrated } from './support.ts'

const types = [
  'smallint', 'integer', 'bigint', 'real', 'double precision', 'numeric(8,3)', 'money', 'boolean', 'text', 'varchar(12)', 'char(4)', '"char"', 'name',
  'uuid', 'date', 'timestamp', 'timestamptz', 'time', 'timetz', 'interval', 'json', 'jsonb', 'jsonpath', 'xml', 'bytea', 'inet', 'cidr', 'macaddr',
  'macaddr8', 'bit(5)', 'varbit(5)', 'point', 'line', 'lseg', 'box', 'path', 'polygon', 'circle', 'tsvector', 'tsquery', 'pg_lsn', 'oid', 'int4range',
  'int8range', 'numrange', 'tsrange', 'tstzrange', 'daterange', 'int4multirange', 'datemultirange', 'integer[]', 'text[][]', 'uuid[]', 'mood',
  'mood[]', 'positive', 'place', 'place[]', 'jsonb[]', 'timestamptz[]',
] // prettier-ignore

const vivarium = useMigrated(`
CREATE TYPE mood AS ENUM ('happy', 'it''s "so so"');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE TYPE place AS (name text, at point, moods mood[]);
CREATE TABLE everything (${types.map((type, index) => `c${index} ${type} NOT NULL`).join(', ')}, none text);
`)

test('a value is made for every type, each time another one where there are others', () =>
  inSandbox(vivarium, async () => {
    const [first, second] = [await insert('everything'), await insert('everything')]
    expect(Object.values(first).filter((value) => value === null)).toHaveLength(1)
    expect(Object.keys(first).filter((name) => JSON.stringify(first[name]) === JSON.stringify(second[name]))).toEqual([
      'none',
    ])
  }))

test('what is given comes back as it was', () =>
  inSandbox(vivarium, async () => {
    const of = (type: string): string => `c${types.indexOf(type)}`
    const given = {
      [of('smallint')]: -32_768,
      [of('bigint')]: 9_007_199_254_740_993n,
      [of('double precision')]: 0.1,
      [of('numeric(8,3)')]: '12345.678',
      [of('boolean')]: true,
      [of('text')]: `it's "quoted" \\ and {so, on}\n€ 😀`,
      [of('timestamp')]: new Date(2024, 1, 29, 13, 14, 15, 167),
      [of('timestamptz')]: new Date('1999-12-31T23:59:59.999Z'),
      [of('date')]: '2024-02-29',
      [of('json')]: 'a text',
      [of('jsonb')]: { list: [1, null, 'a"b'], nested: { deep: true } },
      [of('bytea')]: Buffer.from([0, 255, 1]),
      [of('integer[]')]: [1, null, -3],
      [of('text[][]')]: [
        ['a', 'NULL', ''],
        ['b"', '\\', '{}'],
      ],
      [of('mood[]')]: ['it\'s "so so"', 'happy'],
      [of('place')]: { name: 'a "b", (c)', at: '(1,2)', moods: ['happy', 'it\'s "so so"'] },
      [of('jsonb[]')]: [{ a: '"' }, [1]],
      [of('timestamptz[]')]: [new Date('2024-01-01T00:00:00.120Z')],
      none: null,
    }
    expect(await insert('everything', given)).toMatchObject(given)
  }))
