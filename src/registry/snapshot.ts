/**
 * An immutable image of the registry, ready to answer from: names resolved by table, lists kept as bytes.
 * Knows nothing of where the image came from, and touches nothing outside memory.
 */
import { editMember } from '../protocol/edit.ts'
import type { Era } from '../protocol/version.ts'
import { ALWAYS_TOOLS, isOfTools, mergeCapabilities } from './capability.ts'
import { Fingerprint } from './fingerprint.ts'
import { type RegistryImage, type ServiceRecord, spokenEra, type Toolset } from './image.ts'
import { joinInstructions, ownInstructions } from './instruction.ts'
import type { OfferKind } from './kind.ts'
import { PagedList } from './list.ts'
import type { Called, NamedKind, NamedTarget } from './names.ts'
import { type NamedOffer, renamed } from './offer.ts'
import { type Tables, tablesOf } from './tables.ts'
import { type Endpoint, keyOf, type Target } from './target.ts'
import { type Sight, Views } from './view.ts'
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

/** Part of an image: rules are about tools alone, so everything else is as in the whole. */
type Part = { readonly whole: Snapshot; readonly sight: Sight }

export class Snapshot {
  readonly #tables: Tables
  readonly #views: Views<Snapshot>
  /** Absent: this is the whole. */
  readonly #part: Part | undefined
  readonly #lists = new Map<string, PagedList>()
  readonly #texts = new Map<string, string | undefined>()

  readonly image: RegistryImage
  /** Services that are to run and do not. */
  readonly failed: readonly ServiceRecord[]

  constructor(image: RegistryImage, part?: Part) {
    this.image = image
    this.#part = part
    this.failed = image.services.filter(({ status, isEnabled }) => isEnabled && status === 'error')
    this.#tables = part ? part.whole.#tables : tablesOf(image)
    this.#views = part
      ? part.whole.#views
      : new Views<Snapshot>(image.permissions, this, (sight) => new Snapshot(image, { whole: this, sight }))
  }

  get version(): number {
    return this.image.version
  }

  /** What callers of this agent type see: the whole itself where no rule concerns them. */
  viewFor(agentType: string | undefined): Snapshot {
    return this.#views.of(agentType)
  }

  service(name: string): ServiceRecord | undefined {
    return this.#tables.services.get(name)
  }

  serviceById(id: string): ServiceRecord | undefined {
    return this.#tables.servicesById.get(id)
  }

  toolset(slug: string): Toolset | undefined {
    return this.#tables.toolsets.get(slug)
  }

  /** Every tool that there is, offered or not. */
  get everyTool(): readonly NamedTarget[] {
    return this.#tables.names.tool.all
  }

  /** The tools that are offered here, under the names of the endpoint. */
  toolsAt(endpoint: Endpoint): readonly Called[] {
    const tools = this.#tables.names.tool.at(endpoint)
    return tools.filter(
      (called) => called.service.isEnabled && isGiven(called) && this.#isSeen(called.target),
    )
  }

  /** The services that stand behind an endpoint: a disabled one keeps its names, but is not offered. */
  servicesAt(endpoint: Endpoint): readonly ServiceRecord[] {
    const { services } = this.image
    const enabled = services.filter(({ isEnabled }) => isEnabled)
    if (endpoint.is === 'all') return enabled
    if (endpoint.is === 'service') return enabled.filter(({ name }) => name === endpoint.name)
    const chosen = new Set(this.#tables.names.tool.at(endpoint).map(({ service }) => service))
    return enabled.filter((service) => chosen.has(service))
  }

  /** The tool or prompt that a caller means at this endpoint, or `undefined`; what it may not use is as if it were not there (B96). */
  resolve(kind: NamedKind, name: string, endpoint: Endpoint): Target | undefined {
    const target = this.#tables.names[kind].resolve(name, endpoint)
    return target && (kind !== 'tool' || this.#isSeen(target)) ? target : undefined
  }

  /** Whom to ask for this resource, and under which URI; listed or not. */
  resolveResource(uri: string, endpoint: Endpoint): Target | undefined {
    return endpoint.is === 'toolset' ? undefined : this.#tables.uris.resolve(uri, endpoint)
  }

  /** Whom to ask about this template, or this resource (`ref/resource` of a completion may name either). */
  resolveTemplate(uriTemplate: string, endpoint: Endpoint): Target | undefined {
    return endpoint.is === 'toolset' ? undefined : this.#tables.uris.resolveTemplate(uriTemplate, endpoint)
  }

  /** The URI under which a caller at this endpoint can read what `service` calls `localUri`. */
  publicUri(service: ServiceRecord, localUri: string, endpoint: Endpoint): string {
    return this.#tables.uris.publicUri(service, localUri, withUris(endpoint))
  }

  /** False where no URI of this service ever needs another form here, so its answers can pass untouched. */
  rewritesUris(service: ServiceRecord, endpoint: Endpoint): boolean {
    return this.#tables.uris.rewrites(service, withUris(endpoint))
  }

  /** A list of an endpoint as ready pages. Built on first use, then a lookup. */
  list(kind: OfferKind, endpoint: Endpoint, era: Era): PagedList {
    if (this.#part && kind !== 'tool') return this.#part.whole.list(kind, endpoint, era)
    const mark = this.#part ? `.${this.#part.sight.mark}` : ''
    const view = `${keyOf(endpoint)}.${era}${mark}`
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
    if (this.#part) return this.#part.whole.capabilities(endpoint, era)
    const always = endpoint.is === 'service' ? [] : ALWAYS_TOOLS
    const isKept = endpoint.is === 'toolset' ? isOfTools : undefined
    const merge = (): string => mergeCapabilities(this.servicesAt(endpoint), era, always, isKept)
    return this.#once(`capabilities ${keyOf(endpoint)}.${era}`, merge) ?? '{}'
  }

  /** What the services of an endpoint tell their callers, as plain text. */
  instructions(endpoint: Endpoint): string | undefined {
    if (this.#part) return this.#part.whole.instructions(endpoint)
    const services = this.servicesAt(endpoint)
    const [only] = services
    if (endpoint.is === 'service') return only && ownInstructions(only)
    const key = `instructions ${endpoint.is === 'all' ? '' : keyOf(endpoint)}`
    return this.#once(key, () => joinInstructions(services))
  }

  /** Equal exactly when these lists show the same, whatever the version: decides who hears of a change. */
  viewFingerprint(group: KindGroup, endpoint: Endpoint): string {
    if (this.#part && group !== 'tools') return this.#part.whole.viewFingerprint(group, endpoint)
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

  #isSeen(target: NamedTarget): boolean {
    return this.#part?.sight.allows(target) ?? true
  }

  #offersAt(kind: OfferKind, endpoint: Endpoint): readonly (NamedOffer | Called)[] {
    if (kind === 'tool') return this.toolsAt(endpoint)
    if (endpoint.is === 'toolset') return []
    if (kind === 'prompt') {
      return this.#tables.names.prompt.at(endpoint).filter(({ service }) => service.isEnabled)
    }
    return this.#tables.uris.at(kind, this.servicesAt(endpoint), endpoint)
  }

  #textsOf(offers: readonly (NamedOffer | Called)[], endpoint: Endpoint): readonly string[] {
    return offers.map((named) => {
      const { service } = named
      const text = this.rewritesUris(service, endpoint)
        ? renamed(named, (uri) => this.publicUri(service, uri, endpoint))
        : renamed(named)
      return 'target' in named ? described(text, named.target) : text
    })
  }

  #once(key: string, write: () => string | undefined): string | undefined {
    if (!this.#texts.has(key)) this.#texts.set(key, write())
    return this.#texts.get(key)
  }
}

/** What tools of a toolset answer names resources as at the endpoint of everything, where they can be read. */
const withUris = (endpoint: Endpoint): Exclude<Endpoint, { is: 'toolset' }> =>
  endpoint.is === 'toolset' ? { is: 'all', names: 'bare' } : endpoint

/** Under the description that an operator gave it, every other byte as it is. */
const described = (text: string, { setting }: Target): string =>
  setting?.description === undefined
    ? text
    : editMember(text, ['description'], () => JSON.stringify(setting.description))
