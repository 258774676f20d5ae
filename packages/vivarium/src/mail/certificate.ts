import { generateKeyPairSync, sign } from 'node:crypto'

/** A private key and the self-signed certificate for it, both PEM. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

/**
 * Makes a certificate for 127.0.0.1 and localhost. Made anew in each process, so that no private key is published with the
 * package; a millisecond.
 */
export function makeCertificate(): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = sequence(objectId('1.2.840.10045.4.3.2'))
  const name = sequence(set(sequence(objectId('2.5.4.3'), der(0x0c, Buffer.from('Vivarium, 127.0.0.1')))))
  // RFC 5280, 4.1: version 3, serial number, algorithm, issuer, validity, subject, public key, extensions.
  const body = sequence(
    der(0xa0, integer(2)),
    integer(1),
    algorithm,
    name,
    // Whatever the application takes for today.
    sequence(time('000101000000Z'), time('491231235959Z')),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(alternativeNames(), basicConstraints())),
  )
  const signature = sign('sha256', body, privateKey)
  const cert = sequence(body, algorithm, der(0x03, Buffer.from([0]), signature))
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${cert.toString('base64').replaceAll(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`,
  }
}

function alternativeNames(): Buffer {
  const names = sequence(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1])))
  return sequence(objectId('2.5.29.17'), der(0x04, names))
}

/** It is its own authority: a client trusts it by naming it as one. */
function basicConstraints(): Buffer {
  const isCritical = der(0x01, Buffer.from([0xff]))
  return sequence(objectId('2.5.29.19'), isCritical, der(0x04, sequence(der(0x01, Buffer.from([0xff])))))
}

/** One element of DER: its tag, its length, its content (ITU-T X.690). */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...head]), content])
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return der(0x30, ...parts)
}

function set(...parts: readonly Uint8Array[]): Buffer {
  return der(0x31, ...parts)
}

function integer(value: number): Buffer {
  return der(0x02, Buffer.from([value]))
}

function time(text: string): Buffer {
  return der(0x17, Buffer.from(text))
}

function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const arc of rest) {
    const groups = [arc & 0x7f]
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80)
    bytes.push(...groups)
  }
  return der(0x06, Buffer.from(bytes))
}
