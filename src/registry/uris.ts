/**
 * The public URIs of all resources and templates: who is meant by a URI, and what one is called where. A URI
 * goes to the holder of its grant, also while it is missing from the holder's list; only then to templates, in
 * the order in which they were granted, so that no later one takes over what an earlier one answers.
 *
 * Services registered before URIs were granted hold none until their next refresh: theirs are prefixed.
 */
import { hasResources } from './capability.ts'
import { bareName } from './claim.ts'
import type { RegistryImage, ServiceRecord } from './image.ts'
import { type NamedOffer, offersOf } from './offer.ts'
import type { Endpoint as AnyEndpoint, Target } from './target.ts'
import { type Pattern, readTemplate } from './template.ts'
import { prefixedUri, readPrefixedUri } from './uri.ts'

export type UriKind = 'resource' | 'template'
/** A toolset has tools alone. */
type Endpoint = Exclude<AnyEndpoint, { is: 'toolset' }>

type Granted = { readonly matches: Pattern; readonly service: ServiceRecord }

/** Of one service: more would let it spend the time of others on every URI that nobody lists. */
const MAX_PATTERNS = 256

export class UriTable {
  /** Services that have anything to read, by slug. */
  readonly #sources: ReadonlyMap<string, ServiceRecord>
  readonly #holders: Readonly<Record<UriKind, ReadonlyMap<string, ServiceRecord>>>
  /** The only enabled service with anything to read; whatever nobody else claims is asked of it. */
  readonly #only: ServiceRecord | undefined
  readonly #listed = new Map<string, ReadonlySet<string>>()
  #patterns: readonly Granted[] | undefined
  /** Whether the only one never needs a prefix. */
  #isAlone: boolean | undefined

  constructor(image: RegistryImage) {
    const sources = image.services.filter(hasResources)
    this.#sources = new Map(sources.map((service) => [service.name, service]))
    const byId = new Map(sources.map((service) => [service.id, service]))
    const holdersOf = (kind: UriKind): ReadonlyMap<string, ServiceRecord> => {
      const holders = new Map<string, ServiceRecord>()
      for (const grant of image.names) {
        const service = grant.kind === kind ? byId.get(grant.serviceId) : undefined
        if (service && bareName(kind, grant.name) !== undefined) holders.set(grant.name, service)
      }
      return holders
    }
    this.#holders = { resource: holdersOf('resource'), template: holdersOf('template') }
    const enabled = sources.filter(({ isEnabled }) => isEnabled)
    this.#only = enabled.length === 1 ? enabled[0] : undefined
  }

  /** Who is asked for this resource: prefix, then grant, then template, then the only one who could have it. */
  resolve(uri: string, endpoint: Endpoint): Target | undefined {
    if (endpoint.is === 'service') return this.#own(endpoint.name, uri)
    return (
      this.#prefixed(uri) ??
      targetOf(this.#holders.resource.get(uri), uri) ??
      targetOf(this.#matching(uri), uri) ??
      targetOf(this.#only, uri)
    )
  }

  /** Who is asked about this template; where none is called so, it may be a resource. */
  resolveTemplate(template: string, endpoint: Endpoint): Target | undefined {
    const holder = endpoint.is === 'all' ? this.#holders.template.get(template) : undefined
    return targetOf(holder, template) ?? this.resolve(template, endpoint)
  }

  /**
   * What callers here call what the service calls `local`, so that it leads back to the service. A service
   * without resources can read nothing, so its URIs (links to web pages, say) stay what they are.
   */
  publicUri(service: ServiceRecord, local: string, endpoint: Endpoint): string {
    if (endpoint.is === 'service' || !this.#sources.has(service.name)) return local
    if (endpoint.names === 'prefixed') return prefixedUri(service.name, local)
    const isListed = this.#listedBy('resource', service).has(local)
    const isBare = isListed
      ? this.#holders.resource.get(local)?.id === service.id
      : leadsTo(service, local, this.resolve(local, endpoint))
    return isBare ? local : prefixedUri(service.name, local)
  }

  publicTemplate(service: ServiceRecord, local: string, endpoint: Endpoint): string {
    if (endpoint.is === 'service') return local
    const isBare = endpoint.names === 'bare' && this.#holders.template.get(local)?.id === service.id
    return isBare ? local : prefixedUri(service.name, local)
  }

  /** Whether any URI of this service can need a prefix here. */
  rewrites(service: ServiceRecord, endpoint: Endpoint): boolean {
    if (endpoint.is === 'service' || !this.#sources.has(service.name)) return false
    if (endpoint.names === 'prefixed' || this.#only?.id !== service.id) return true
    this.#isAlone ??= this.#holdsAll('resource', service) && this.#holdsAll('template', service)
    return !this.#isAlone
  }

  /** What these services list, under the URIs of this endpoint. */
  at(kind: UriKind, services: readonly ServiceRecord[], endpoint: Endpoint): readonly NamedOffer[] {
    return services.flatMap((service) =>
      offersOf(kind, service).map((offer) => ({
        service,
        offer,
        publicName:
          kind === 'resource'
            ? this.publicUri(service, offer.localName, endpoint)
            : this.publicTemplate(service, offer.localName, endpoint),
      })),
    )
  }

  /** Whether it holds whatever it lists, and nobody else, disabled or not, holds anything. */
  #holdsAll(kind: UriKind, service: ServiceRecord): boolean {
    const holders = this.#holders[kind]
    return (
      [...holders.values()].every(({ id }) => id === service.id) &&
      offersOf(kind, service).every(({ localName }) => holders.has(localName))
    )
  }

  #own(name: string, uri: string): Target | undefined {
    return targetOf(this.#sources.get(name), uri)
  }

  #prefixed(uri: string): Target | undefined {
    const read = readPrefixedUri(uri)
    return read && this.#own(read.service, read.local)
  }

  #matching(uri: string): ServiceRecord | undefined {
    this.#patterns ??= this.#readPatterns()
    return this.#patterns.find(({ matches }) => matches(uri))?.service
  }

  #readPatterns(): readonly Granted[] {
    const counts = new Map<string, number>()
    return [...this.#holders.template].flatMap(([template, service]) => {
      const count = counts.get(service.id) ?? 0
      counts.set(service.id, count + 1)
      const isOffered = this.#listedBy('template', service).has(template)
      return isOffered && count < MAX_PATTERNS ? [{ matches: readTemplate(template), service }] : []
    })
  }

  #listedBy(kind: UriKind, service: ServiceRecord): ReadonlySet<string> {
    const key = `${kind} ${service.id}`
    const known = this.#listed.get(key)
    if (known) return known
    const listed = new Set(offersOf(kind, service).map(({ localName }) => localName))
    this.#listed.set(key, listed)
    return listed
  }
}

const targetOf = (service: ServiceRecord | undefined, localName: string): Target | undefined =>
  service && { service, localName, mirrors: [] }

const leadsTo = (service: ServiceRecord, local: string, target: Target | undefined): boolean =>
  target?.service.id === service.id && target.localName === local
