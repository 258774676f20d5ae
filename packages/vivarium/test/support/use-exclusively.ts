import { openPostgresClient } from '../../src/postgres/connection/client.ts'
import type { LeasePool } from '../../src/postgres/leases/lease.ts'

/**
 * Acquires and releases `total` leases, `atOnce` at a time, and in each database writes that it is in use: a second
 * user at the same time fails. Returns the names that were used.
 */
export async function useExclusively(pool: LeasePool, atOnce: number, total: number): Promise<string[]> {
  const names = new Set<string>()
  let left = total
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const lease = await pool.acquire()
      names.add(lease.database)
      await using client = await openPostgresClient(lease.target)
      const entered = await client.query('UPDATE usage SET users = users + 1, uses = uses + 1 RETURNING users')
      if (entered[0]?.['users'] !== '1') throw new Error(`${lease.database} is leased twice at once`)
      await client.query('UPDATE usage SET users = users - 1')
      await client.close()
      await lease.release()
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return [...names]
}
