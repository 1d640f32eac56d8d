/**
 * An immutable image of the registry, ready to answer from: names resolved by table, lists kept as bytes.
 * Knows nothing of where the image came from, and touches nothing outside memory.
 */
import type { Mirror } from '../protocol/mirror.ts'
import type { Era } from '../protocol/version.ts'
import type { RegistryImage, ServiceRecord } from './image.ts'
import { PagedList } from './list.ts'
import { fitName, hashedName, prefixedName } from './name.ts'
import { type NamedOffer, type Offer, toolsOf } from './offer.ts'

export type Target = {
  readonly service: ServiceRecord
  readonly localName: string
  readonly mirrors: readonly Mirror[]
}

/** Where a request came in: everything, or one service under its own names. */
export type Endpoint =
  | { readonly is: 'all'; readonly names: 'bare' | 'prefixed' }
  | { readonly is: 'service'; readonly name: string }

export class Snapshot {
  readonly #services: ReadonlyMap<string, ServiceRecord>
  readonly #bare: readonly NamedOffer[]
  readonly #prefixed: readonly NamedOffer[]
  readonly #byPublicName = new Map<string, Target>()
  readonly #ownTargets = new Map<string, Map<string, Target>>()
  readonly #lists = new Map<string, PagedList>()

  readonly image: RegistryImage
  /** Services that are to run and do not. */
  readonly failed: readonly ServiceRecord[]

  constructor(image: RegistryImage) {
    this.image = image
    this.failed = image.services.filter(({ status, isEnabled }) => isEnabled && status === 'error')
    this.#services = new Map(image.services.map((service) => [service.name, service]))
    const named = nameAll(image)
    this.#bare = named.map(({ bareName, ...offer }) => ({
      ...offer,
      publicName: bareName ?? offer.publicName,
    }))
    this.#prefixed = named
    for (const { bareName, service, offer } of named) {
      const target = targetOf(service, offer)
      if (bareName !== undefined) this.#byPublicName.set(bareName, target)
      own(this.#ownTargets, service.name).set(offer.localName, target)
    }
    // Prefixed names come last: no bare name can stand in the place of one, whoever was granted it (S37).
    for (const { publicName, service, offer } of named) {
      const target = targetOf(service, offer)
      this.#byPublicName.set(publicName, target)
      this.#byPublicName.set(prefixedName(service.name, offer.localName), target)
    }
  }

  get version(): number {
    return this.image.version
  }

  service(name: string): ServiceRecord | undefined {
    return this.#services.get(name)
  }

  /** The tool that a caller means at this endpoint, or `undefined`. */
  resolveTool(name: string, endpoint: Endpoint): Target | undefined {
    return endpoint.is === 'all'
      ? this.#byPublicName.get(name)
      : this.#ownTargets.get(endpoint.name)?.get(name)
  }

  /** The public names of one service's tools, as `/mcp` lists them. */
  publicNamesOf(service: string): readonly NamedOffer[] {
    return this.#bare.filter((named) => named.service.name === service)
  }

  /** The tool list of an endpoint as ready pages. Built on first use, then a lookup. */
  tools(endpoint: Endpoint, era: Era): PagedList {
    const view = `${endpoint.is === 'all' ? `*${endpoint.names}` : endpoint.name}.${era}`
    let list = this.#lists.get(view)
    if (!list) {
      const offers = this.#offersAt(endpoint).filter(({ offer }) => era === 'legacy' || offer.mirrors.ok)
      list = new PagedList(offers, era, `${this.version}.${view}`)
      this.#lists.set(view, list)
    }
    return list
  }

  /** What is listed: a disabled service keeps its names and its catalogue, but is not offered. */
  #offersAt(endpoint: Endpoint): readonly NamedOffer[] {
    if (endpoint.is === 'all') {
      return (endpoint.names === 'bare' ? this.#bare : this.#prefixed).filter(
        ({ service }) => service.isEnabled,
      )
    }
    return this.publicNamesOf(endpoint.name).map((named) => ({ ...named, publicName: named.offer.localName }))
  }
}

const targetOf = (service: ServiceRecord, { localName, mirrors }: Offer): Target => ({
  service,
  localName,
  mirrors: mirrors.ok ? mirrors.value : [],
})

function own(targets: Map<string, Map<string, Target>>, service: string): Map<string, Target> {
  const known = targets.get(service) ?? new Map<string, Target>()
  targets.set(service, known)
  return known
}

/** Every tool of every service with its prefixed public name and, where its service holds the grant, its bare one. */
function nameAll(image: RegistryImage): (NamedOffer & { readonly bareName: string | undefined })[] {
  const holders = new Map(image.names.map((grant) => [grant.name, grant.serviceId]))
  const taken = new Set<string>(holders.keys())
  return image.services.flatMap((service) =>
    toolsOf(service).map((offer) => {
      const full = prefixedName(service.name, offer.localName)
      const fitted = fitName(full)
      const publicName = taken.has(fitted) ? hashedName(full) : fitted
      taken.add(publicName)
      const bare = fitName(offer.localName)
      return { publicName, bareName: holders.get(bare) === service.id ? bare : undefined, service, offer }
    }),
  )
}
