import type { Frame } from './extended-protocol.ts'
import type { Unit } from './unit.ts'

/** OID of lo_open (pg_proc.dat). */
const loOpen = 952

/** Translates a FunctionCall (fast path), which is a whole unit: large objects of libpq use it. */
export function translateFunctionCall(unit: Unit, frame: Frame): void {
  const record = unit.record(`function call ${frame.buffer.readInt32BE(frame.start + 5)}`, [])
  unit.onlyReads = false
  unit.real()
  if (frame.buffer.readInt32BE(frame.start + 5) === loOpen) unit.world.leftovers.hasOpenedLargeObject = true
  unit.complete(frame.buffer.subarray(frame.start, frame.end), {
    onError: (fields) => {
      unit.failed(fields, record)
      return undefined
    },
  })
}
