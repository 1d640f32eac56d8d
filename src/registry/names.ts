/**
 * The public names of all tools, or of all prompts: who is meant by a name, and what is listed where. Every
 * service has its prefixed names; bare ones only where it holds the grant.
 */
import type { RegistryImage, ServiceRecord } from './image.ts'
import { fitName, hashedName, prefixedName } from './name.ts'
import { type NamedOffer, type Offer, offersOf } from './offer.ts'
import type { Endpoint, Target } from './target.ts'

export type NamedKind = 'tool' | 'prompt'

export class NameTable {
  readonly #named: readonly FullyNamed[]
  readonly #byPublicName = new Map<string, Target>()
  readonly #ownTargets = new Map<string, Map<string, Target>>()

  constructor(kind: NamedKind, image: RegistryImage) {
    this.#named = nameAll(kind, image)
    for (const { bare, service, offer } of this.#named) {
      const target = targetOf(service, offer)
      if (bare !== undefined) this.#byPublicName.set(bare, target)
      own(this.#ownTargets, service.name).set(offer.localName, target)
    }
    // Prefixed names come last: no bare name can stand in the place of one, whoever was granted it (S37).
    for (const { prefixed, service, offer } of this.#named) {
      const target = targetOf(service, offer)
      this.#byPublicName.set(prefixed, target)
      this.#byPublicName.set(prefixedName(service.name, offer.localName), target)
    }
  }

  /** What a caller means by this name at this endpoint, or `undefined`. */
  resolve(name: string, endpoint: Endpoint): Target | undefined {
    return endpoint.is === 'all'
      ? this.#byPublicName.get(name)
      : this.#ownTargets.get(endpoint.name)?.get(name)
  }

  /** Everything that there is, under the names of this endpoint. */
  at(endpoint: Endpoint): readonly NamedOffer[] {
    if (endpoint.is === 'service') {
      const own = this.#named.filter(({ service }) => service.name === endpoint.name)
      return own.map(({ service, offer }) => ({ service, offer, publicName: offer.localName }))
    }
    return this.#named.map(({ service, offer, bare, prefixed }) => ({
      service,
      offer,
      publicName: endpoint.names === 'bare' ? (bare ?? prefixed) : prefixed,
    }))
  }
}

type FullyNamed = {
  readonly service: ServiceRecord
  readonly offer: Offer
  readonly prefixed: string
  readonly bare: string | undefined
}

const targetOf = (service: ServiceRecord, { localName, mirrors }: Offer): Target => ({
  service,
  localName,
  mirrors: mirrors.ok ? mirrors.value : undefined,
})

function own(targets: Map<string, Map<string, Target>>, service: string): Map<string, Target> {
  const known = targets.get(service) ?? new Map<string, Target>()
  targets.set(service, known)
  return known
}

function nameAll(kind: NamedKind, image: RegistryImage): readonly FullyNamed[] {
  const grants = image.names.filter((grant) => grant.kind === kind)
  const holders = new Map(grants.map((grant) => [grant.name, grant.serviceId]))
  const taken = new Set<string>(holders.keys())
  return image.services.flatMap((service) =>
    offersOf(kind, service).map((offer) => {
      const full = prefixedName(service.name, offer.localName)
      const fitted = fitName(full)
      const prefixed = taken.has(fitted) ? hashedName(full) : fitted
      taken.add(prefixed)
      const bare = fitName(offer.localName)
      return { service, offer, prefixed, bare: holders.get(bare) === service.id ? bare : undefined }
    }),
  )
}
