import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib'

const decoders: Readonly<Record<string, (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array>> = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
}

/** A decoded body may be so large: 64 MB. */
const maxOutputLength = 64 * 1_024 * 1_024

/**
 * A body as its sender meant it, by the Content-Encoding header. One that does not decode is returned as it is: recordings and
 * clients leave the header where they have decoded already.
 */
export function decodeContent(bytes: Uint8Array, encoding: string | undefined): Uint8Array {
  const codings = (encoding ?? '').toLowerCase().split(',')
  try {
    // The last one applied is the first one to take off.
    return codings.reduceRight((body, coding) => decoders[coding.trim()]?.(body, { maxOutputLength }) ?? body, bytes)
  } catch {
    return bytes
  }
}
