import { openOncePerWorker } from '../core/registry.ts'
import type { ServiceContract } from './service-contract.ts'

/** A service as `defineService` was told of it. */
export interface ServiceDefinition {
  readonly name: string
  readonly baseUrl: URL
  readonly contract: (() => Promise<ServiceContract>) | undefined
}

/** The services of this worker, last defined last. */
function definitions(): ServiceDefinition[] {
  return openOncePerWorker('http services', () => [])
}

/** Makes a service known: its requests are called by its name and checked by its contract. A later one with the same URL replaces it. */
export function addService(service: ServiceDefinition): void {
  const known = definitions()
  const index = known.findIndex(({ baseUrl }) => baseUrl.href === service.baseUrl.href)
  if (index >= 0) known.splice(index, 1)
  known.push(service)
}

/** The service that a URL belongs to: of several the one whose URL has most of it. */
export function serviceOf(url: URL): ServiceDefinition | undefined {
  const covering = definitions().filter((service) => isBelow(url, service.baseUrl))
  return covering.sort((one, other) => other.baseUrl.href.length - one.baseUrl.href.length)[0]
}

/** Whether `url` is `base` or below it. */
function isBelow(url: URL, base: URL): boolean {
  const path = base.pathname.replace(/\/$/, '')
  return url.origin === base.origin && (url.pathname === path || url.pathname.startsWith(`${path}/`))
}
