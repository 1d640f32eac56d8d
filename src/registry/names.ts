/**
 * The public names of all tools, or of all prompts: who is meant by a name, and what is listed where. Every
 * service has its prefixed names; bare ones only where it holds the grant. A tool may have an alias besides, by which it
 * is then listed. A tool that an operator switched off keeps its names and is behind none of them.
 */
import type { RegistryImage, ToolSetting } from './image.ts'
import { fitName, hashedName, prefixedName, readEveryToolOf } from './name.ts'
import { type NamedOffer, type Offer, offersOf } from './offer.ts'
import type { Endpoint, Target } from './target.ts'

export type NamedKind = 'tool' | 'prompt'

/** A target and everything that leads to it. */
export type NamedTarget = Target & {
  readonly offer: Offer
  readonly prefixed: string
  readonly bare: string | undefined
  readonly alias: string | undefined
}

/** What is listed, and what its public name means. */
export type Called = NamedOffer & { readonly target: NamedTarget }

export class NameTable {
  /** Those that are switched off included. */
  readonly all: readonly NamedTarget[]
  readonly #byPublicName = new Map<string, NamedTarget>()
  readonly #ownTargets = new Map<string, Map<string, NamedTarget>>()
  readonly #toolsets: ReadonlyMap<string, readonly string[]>
  readonly #members = new Map<string, ReadonlySet<NamedTarget>>()

  constructor(kind: NamedKind, image: RegistryImage) {
    const toolsets = kind === 'tool' ? image.toolsets : []
    this.#toolsets = new Map(toolsets.map(({ slug, tools }) => [slug, tools]))
    this.all = nameAll(kind, image)
    const offered = this.all.filter(isOn)
    for (const target of offered) {
      if (target.bare !== undefined) this.#byPublicName.set(target.bare, target)
      own(this.#ownTargets, target.service.name).set(target.localName, target)
    }
    for (const target of offered) if (target.alias !== undefined) this.#byPublicName.set(target.alias, target)
    // Prefixed names come last: no other name can stand in the place of one, whoever was granted it (S37).
    for (const target of offered) {
      this.#byPublicName.set(target.prefixed, target)
      this.#byPublicName.set(prefixedName(target.service.name, target.localName), target)
    }
  }

  /** What a caller means by this name at this endpoint, or `undefined`. */
  resolve(name: string, endpoint: Endpoint): NamedTarget | undefined {
    switch (endpoint.is) {
      case 'all':
        return this.#byPublicName.get(name)
      case 'service':
        return this.#ownTargets.get(endpoint.name)?.get(name)
      case 'toolset': {
        const target = this.#byPublicName.get(name)
        return target && this.#membersOf(endpoint.slug).has(target) ? target : undefined
      }
    }
  }

  /** Everything that there is, under the names of this endpoint. */
  at(endpoint: Endpoint): readonly Called[] {
    const offered = this.#behind(endpoint).filter(isOn)
    return offered.map((target) => ({
      service: target.service,
      offer: target.offer,
      publicName: calledAt(endpoint, target),
      target,
    }))
  }

  #behind(endpoint: Endpoint): readonly NamedTarget[] {
    switch (endpoint.is) {
      case 'all':
        return this.all
      case 'service':
        return this.all.filter(({ service }) => service.name === endpoint.name)
      case 'toolset': {
        const members = this.#membersOf(endpoint.slug)
        return this.all.filter((target) => members.has(target))
      }
    }
  }

  #membersOf(slug: string): ReadonlySet<NamedTarget> {
    const known = this.#members.get(slug)
    if (known) return known
    const members = new Set((this.#toolsets.get(slug) ?? []).flatMap((choice) => this.#chosenBy(choice)))
    if (this.#toolsets.has(slug)) this.#members.set(slug, members)
    return members
  }

  #chosenBy(choice: string): readonly NamedTarget[] {
    const service = readEveryToolOf(choice)
    if (service !== undefined) return this.all.filter((target) => target.service.name === service)
    const target = this.#byPublicName.get(choice)
    return target ? [target] : []
  }
}

/** The name by which it is listed where all services meet. */
export const publicNameOf = ({ alias, bare, prefixed }: NamedTarget): string => alias ?? bare ?? prefixed

/** Every name that leads to it where all services meet. */
export const namesOf = ({ alias, bare, prefixed, service, localName }: NamedTarget): readonly string[] =>
  [alias, bare, prefixed, prefixedName(service.name, localName)].filter((name) => name !== undefined)

function calledAt(endpoint: Endpoint, target: NamedTarget): string {
  if (endpoint.is === 'service') return target.localName
  const isPrefixed = endpoint.is === 'all' && endpoint.names === 'prefixed'
  return isPrefixed ? target.prefixed : publicNameOf(target)
}

const isOn = ({ setting }: NamedTarget): boolean => setting?.isEnabled !== false

function own(targets: Map<string, Map<string, NamedTarget>>, service: string): Map<string, NamedTarget> {
  const known = targets.get(service) ?? new Map<string, NamedTarget>()
  targets.set(service, known)
  return known
}

function nameAll(kind: NamedKind, image: RegistryImage): readonly NamedTarget[] {
  const grants = image.names.filter((grant) => grant.kind === kind)
  const holders = new Map(grants.map((grant) => [grant.name, grant.serviceId]))
  const settings = settingsOf(kind === 'tool' ? image.toolSettings : [])
  const taken = new Set<string>(holders.keys())
  const named = image.services.flatMap((service) =>
    offersOf(kind, service).map((offer) => {
      const { localName, mirrors } = offer
      const full = prefixedName(service.name, localName)
      const fitted = fitName(full)
      const prefixed = taken.has(fitted) ? hashedName(full) : fitted
      taken.add(prefixed)
      const bare = fitName(localName)
      return {
        service,
        localName,
        mirrors: mirrors.ok ? mirrors.value : undefined,
        setting: settings.get(service.id)?.get(localName),
        offer,
        prefixed,
        bare: holders.get(bare) === service.id ? bare : undefined,
        alias: undefined,
      }
    }),
  )
  return settings.size === 0 ? named : withAliases(named)
}

/**
 * An alias that is somebody's prefixed name, or that was given before, is not given. A bare name that was granted after
 * it gives way: whoever is registered later takes over no name that callers know (S37).
 */
function withAliases(named: readonly NamedTarget[]): readonly NamedTarget[] {
  const prefixed = new Set(
    named.flatMap((each) => [each.prefixed, prefixedName(each.service.name, each.localName)]),
  )
  const holders = new Map<string, NamedTarget>()
  for (const target of named) {
    const alias = target.setting?.alias
    if (alias !== undefined && !prefixed.has(alias) && !holders.has(alias)) holders.set(alias, target)
  }
  const isAnothers = (name: string | undefined, target: NamedTarget): boolean =>
    name !== undefined && (holders.get(name) ?? target) !== target
  return named.map((target) => {
    const alias = target.setting?.alias
    return {
      ...target,
      bare: isAnothers(target.bare, target) ? undefined : target.bare,
      alias: alias !== undefined && holders.get(alias) === target ? alias : undefined,
    }
  })
}

/** By service, then by the name of the tool. */
function settingsOf(settings: readonly ToolSetting[]): ReadonlyMap<string, ReadonlyMap<string, ToolSetting>> {
  const byService = new Map<string, Map<string, ToolSetting>>()
  for (const setting of settings) {
    const known = byService.get(setting.serviceId)
    if (known) known.set(setting.tool, setting)
    else byService.set(setting.serviceId, new Map([[setting.tool, setting]]))
  }
  return byService
}
