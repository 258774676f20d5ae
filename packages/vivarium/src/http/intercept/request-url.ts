/**
 * The URL that a client asks for by an origin and a path. The path is put behind the origin as it is: resolved, `//name/x` would be another
 * host. An absolute URL in its place is what a client says to a proxy.
 */
export function requestUrl(origin: string | URL, path: string): URL {
  if (!path.startsWith('/')) return new URL(path, origin)
  return new URL(`${String(origin).replace(/\/$/, '')}${path}`)
}
