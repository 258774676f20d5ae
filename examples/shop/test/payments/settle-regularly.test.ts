// Payments that a failure has left unfinished are looked at from time to time, for as long as the shop runs.
import { afterEach, expect, test, vi } from 'vitest'
import { settleRegularly } from '../../src/payments/settle-regularly.ts'
import type { SettledAttempts } from '../../src/payments/settle-attempts.ts'
import type { Report } from '../../src/report.ts'

afterEach(() => {
  vi.useRealTimers()
})

test('again and again, also after a failure, and no more once it is stopped', async () => {
  // Given attempts that are settled every second, of which the second time fails
  vi.useFakeTimers()
  const report = vi.fn<Report>()
  const nothing: SettledAttempts = { refunded: 0, void: 0, failed: 0 }
  const settleAttempts = vi.fn<() => Promise<SettledAttempts>>().mockResolvedValue(nothing)
  settleAttempts.mockResolvedValueOnce(nothing).mockRejectedValueOnce(new Error('connection lost'))
  const settling = settleRegularly({ payments: { settleAttempts }, report, everyMs: 1000 })

  // When three seconds pass, then it was tried three times, and the failure reported
  await vi.advanceTimersByTimeAsync(3000)
  expect(settleAttempts).toHaveBeenCalledTimes(3)
  expect(report).toHaveBeenCalledExactlyOnceWith('Payment attempts could not be settled', new Error('connection lost'))

  // When it is stopped, then it is not tried again
  await settling.stop()
  await vi.advanceTimersByTimeAsync(3000)
  expect(settleAttempts).toHaveBeenCalledTimes(3)
})
