/**
 * An immutable image of the registry, ready to answer from: names resolved by table, lists kept as bytes.
 * Knows nothing of where the image came from, and touches nothing outside memory.
 */
import type { Era } from '../protocol/version.ts'
import { ALWAYS_TOOLS, mergeCapabilities } from './capability.ts'
import { Fingerprint } from './fingerprint.ts'
import { type RegistryImage, type ServiceRecord, spokenEra } from './image.ts'
import { joinInstructions, ownInstructions } from './instruction.ts'
import type { OfferKind } from './kind.ts'
import { PagedList } from './list.ts'
import { type NamedKind, NameTable } from './names.ts'
import { type NamedOffer, renamed } from './offer.ts'
import { type Endpoint, keyOf, type Target } from './target.ts'
import { UriTable } from './uris.ts'
import { withheldTools } from './withhold.ts'

export type { Endpoint, Target } from './target.ts'

/** The lists that one `list_changed` notification stands for. */
export type KindGroup = 'tools' | 'prompts' | 'resources'

const KINDS_OF: Readonly<Record<KindGroup, readonly OfferKind[]>> = {
  tools: ['tool'],
  prompts: ['prompt'],
  resources: ['resource', 'template'],
}

const isGiven = ({ service, offer }: NamedOffer): boolean => !withheldTools(service).has(offer.localName)

export class Snapshot {
  readonly #services: ReadonlyMap<string, ServiceRecord>
  readonly #servicesById: ReadonlyMap<string, ServiceRecord>
  readonly #names: Readonly<Record<NamedKind, NameTable>>
  readonly #uris: UriTable
  readonly #lists = new Map<string, PagedList>()
  readonly #texts = new Map<string, string | undefined>()

  readonly image: RegistryImage
  /** Services that are to run and do not. */
  readonly failed: readonly ServiceRecord[]

  constructor(image: RegistryImage) {
    this.image = image
    this.failed = image.services.filter(({ status, isEnabled }) => isEnabled && status === 'error')
    this.#services = new Map(image.services.map((service) => [service.name, service]))
    this.#servicesById = new Map(image.services.map((service) => [service.id, service]))
    this.#names = { tool: new NameTable('tool', image), prompt: new NameTable('prompt', image) }
    this.#uris = new UriTable(image)
  }

  get version(): number {
    return this.image.version
  }

  service(name: string): ServiceRecord | undefined {
    return this.#services.get(name)
  }

  serviceById(id: string): ServiceRecord | undefined {
    return this.#servicesById.get(id)
  }

  /** The services that stand behind an endpoint: a disabled one keeps its names, but is not offered. */
  servicesAt(endpoint: Endpoint): readonly ServiceRecord[] {
    return this.image.services.filter(
      ({ name, isEnabled }) => isEnabled && (endpoint.is === 'all' || name === endpoint.name),
    )
  }

  /** The tool or prompt that a caller means at this endpoint, or `undefined`. */
  resolve(kind: NamedKind, name: string, endpoint: Endpoint): Target | undefined {
    return this.#names[kind].resolve(name, endpoint)
  }

  /** Whom to ask for this resource, and under which URI; listed or not. */
  resolveResource(uri: string, endpoint: Endpoint): Target | undefined {
    return this.#uris.resolve(uri, endpoint)
  }

  /** Whom to ask about this template, or this resource (`ref/resource` of a completion may name either). */
  resolveTemplate(uriTemplate: string, endpoint: Endpoint): Target | undefined {
    return this.#uris.resolveTemplate(uriTemplate, endpoint)
  }

  /** The URI under which a caller at this endpoint can read what `service` calls `localUri`. */
  publicUri(service: ServiceRecord, localUri: string, endpoint: Endpoint): string {
    return this.#uris.publicUri(service, localUri, endpoint)
  }

  /** False where no URI of this service ever needs another form here, so its answers can pass untouched. */
  rewritesUris(service: ServiceRecord, endpoint: Endpoint): boolean {
    return this.#uris.rewrites(service, endpoint)
  }

  /** A list of an endpoint as ready pages. Built on first use, then a lookup. */
  list(kind: OfferKind, endpoint: Endpoint, era: Era): PagedList {
    const view = `${keyOf(endpoint)}.${era}`
    const key = `${kind}.${view}`
    const known = this.#lists.get(key)
    if (known) return known
    // A tool whose marks are faulty can be used where neither the caller nor the gateway mirrors (S46).
    const isUsable = ({ service, offer }: NamedOffer): boolean =>
      offer.mirrors.ok || (era === 'legacy' && spokenEra(service, true) === 'legacy')
    const offers = this.#offersAt(kind, endpoint).filter(isUsable)
    const list = new PagedList(kind, this.#textsOf(offers, endpoint), era, `${this.version}.${view}`)
    this.#lists.set(key, list)
    return list
  }

  /** What the services of an endpoint can do together: a raw JSON object. */
  capabilities(endpoint: Endpoint, era: Era): string {
    const always = endpoint.is === 'all' ? ALWAYS_TOOLS : []
    const merge = (): string => mergeCapabilities(this.servicesAt(endpoint), era, always)
    return this.#once(`capabilities ${keyOf(endpoint)}.${era}`, merge) ?? '{}'
  }

  /** What the services of an endpoint tell their callers, as plain text. */
  instructions(endpoint: Endpoint): string | undefined {
    const services = this.servicesAt(endpoint)
    const [only] = services
    if (endpoint.is === 'service') return only && ownInstructions(only)
    return this.#once('instructions', () => joinInstructions(services))
  }

  /** Equal exactly when these lists show the same, whatever the version: decides who hears of a change. */
  viewFingerprint(group: KindGroup, endpoint: Endpoint): string {
    const write = (): string => {
      const fingerprint = new Fingerprint()
      for (const kind of KINDS_OF[group]) {
        fingerprint.add(kind)
        for (const text of this.#textsOf(this.#offersAt(kind, endpoint), endpoint)) fingerprint.add(text)
      }
      return String(fingerprint)
    }
    return this.#once(`fingerprint ${group} ${keyOf(endpoint)}`, write) ?? ''
  }

  #offersAt(kind: OfferKind, endpoint: Endpoint): readonly NamedOffer[] {
    if (kind === 'resource' || kind === 'template') {
      return this.#uris.at(kind, this.servicesAt(endpoint), endpoint)
    }
    const offered = this.#names[kind].at(endpoint).filter(({ service }) => service.isEnabled)
    return kind === 'tool' ? offered.filter(isGiven) : offered
  }

  #textsOf(offers: readonly NamedOffer[], endpoint: Endpoint): readonly string[] {
    return offers.map((named) => {
      const { service } = named
      if (!this.rewritesUris(service, endpoint)) return renamed(named)
      return renamed(named, (uri) => this.publicUri(service, uri, endpoint))
    })
  }

  #once(key: string, write: () => string | undefined): string | undefined {
    if (!this.#texts.has(key)) this.#texts.set(key, write())
    return this.#texts.get(key)
  }
}
