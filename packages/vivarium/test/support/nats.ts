import { connect } from '@nats-io/transport-node'

/** The NATS server that answers, at VIVARIUM_TEST_NATS_URL or on this machine. */
export async function natsServer(): Promise<string | undefined> {
  const servers = process.env['VIVARIUM_TEST_NATS_URL'] ?? '127.0.0.1:4222'
  try {
    await (await connect({ servers, timeout: 2000, reconnect: false })).close()
    return servers
  } catch {
    return undefined
  }
}
