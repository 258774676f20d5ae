/** An address that refuses connections: port 1 (tcpmux) has no listener on any machine of today. */
export const nobody = { host: '127.0.0.1', port: 1 } as const
