import type { ColumnType } from '../catalogue/catalogue.ts'
import { bareType } from './comparable.ts'
import type { Value } from './evaluate.ts'

const secondMs = 1000
const dayMs = 86_400 * secondMs

/** A value that a column is compared with, and those next to it, as the column could have them. */
export function neighboursOf(type: ColumnType, value: Value): readonly unknown[] {
  const bare = bareType(type)
  if (bare.kind === 'enum' || typeof value === 'boolean') return [value]
  switch (bare.name) {
    case 'int2':
    case 'int4':
    case 'int8': {
      const number = Number(value)
      return Number.isNaN(number) ? [] : [Math.round(number), Math.floor(number) + 1, Math.ceil(number) - 1]
    }
    case 'float4':
    case 'float8':
    case 'numeric': {
      const number = Number(value)
      return Number.isNaN(number) ? [] : [number, number + 1, number - 1]
    }
    case 'date':
      return around(value, dayMs, (time) => new Date(time).toISOString().slice(0, 10))
    case 'timestamp':
    case 'timestamptz':
      return around(value, secondMs, (time) => new Date(time))
    case 'time':
      return typeof value === 'string' ? timesAround(value) : []
    default:
      return typeof value === 'string' ? [value] : typeof value === 'number' ? [String(value)] : []
  }
}

function around(value: Value, step: number, toValue: (time: number) => unknown): readonly unknown[] {
  if (value === 'now')
    return [new Date(Date.UTC(2024, 5, 1)), new Date(Date.UTC(2100, 0, 1))].map((date) => toValue(date.getTime()))
  if (typeof value !== 'string') return []
  const text = value.replace(' ', 'T')
  const time = Date.parse(/T/.test(text) ? text : `${text}T00:00:00Z`)
  return Number.isNaN(time) ? [] : [time, time + step, time - step].map(toValue)
}

/** The same time of day, an hour later and an hour earlier. */
function timesAround(value: string): readonly string[] {
  const [hours = 0, minutes = 0] = value.split(':').map(Number)
  const at = (hour: number): string => `${String(hour).padStart(2, '0')}:${String(minutes).padStart(2, '0')}:00`
  return [hours, hours + 1, hours - 1].filter((hour) => hour >= 0 && hour < 24).map(at)
}
