import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { Client } from 'pg'
import { afterAll } from 'vitest'

/** Servers that run on this machine; only a database of our own is created there, and only our own keys are deleted. */
const postgresUrl = process.env['VIVARIUM_TEST_POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres'
const redisUrl = process.env['SHOP_TEST_REDIS_URL'] ?? 'redis://127.0.0.1:6379/11'

/** The environment of the shop on the machine's own servers, or what is missing for it. */
export async function findRealServers(): Promise<
  { missing: string } | { databaseUrl: string; redis: Redis; redisUrl: string }
> {
  const name = `shop_demo_${process.pid}`
  const admin = new Client({ connectionString: postgresUrl })
  const redis = new Redis(redisUrl, { lazyConnect: true, retryStrategy: () => null })
  redis.on('error', () => {})
  const connected = await Promise.allSettled([admin.connect(), redis.connect()])
  afterAll(async () => {
    await admin.query(`drop database if exists ${name} with (force)`).catch(() => {})
    await admin.end()
    redis.disconnect()
  })
  if (connected[0].status === 'rejected') return { missing: `no PostgreSQL answers at ${postgresUrl}` }
  if (connected[1].status === 'rejected') return { missing: `no Redis answers at ${redisUrl}` }
  await admin.query(`create database ${name}`)
  return { databaseUrl: Object.assign(new URL(postgresUrl), { pathname: `/${name}` }).href, redis, redisUrl }
}

export interface MailService {
  readonly url: string
  /** What it has taken. */
  readonly mails: readonly { readonly to: readonly string[]; readonly message: string }[]
}

/** A mail service in a process of its own, until the end of the file. */
export async function startMailService(): Promise<MailService> {
  const program = fileURLToPath(new URL('smtp-process.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  afterAll(() => void child.kill())
  const mails: MailService['mails'][number][] = []
  const lines = createInterface(child.stdout)
  const [first] = (await once(lines, 'line')) as [string]
  lines.on('line', (line) => mails.push(JSON.parse(line) as MailService['mails'][number]))
  const { listening } = JSON.parse(first) as { listening: number }
  return { url: `smtp://127.0.0.1:${listening}`, mails }
}
